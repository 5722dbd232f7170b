"""What every figure stands on: a machine of its own, repositories, a spec, our server."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from kimi_mcp.demo.script import Reply, bash, edit, read, say
from tests.sandbox import Sandbox

OURS = (sys.executable, "-m", "kimi_mcp")
EMPTY = (sys.executable, str(Path(__file__).with_name("empty_server.py")))

MARKER = "# Your task (1)"  # as the brief has it; finds the script

SPEC_PATH = "specs/001-a-better-greeting.md"
SPEC = """\
# Spec: 001 -- A better greeting

## Goal
The program greets properly.

## Tasks
### Task 1: Greet properly
Files:
- MODIFY app.py
Requirements:
- `greet` says hello to the world by default, with an exclamation mark
Verification:
- `true`
"""

SIX_STEPS: Sequence[Reply] = (
    read("app.py"),
    edit("app.py", "greet(name)", 'greet(name="world")'),
    edit("app.py", "+ name", '+ name + "!"'),
    bash("true"),
    bash("true"),
    say("greet() has a default and an exclamation mark."),
)


def guard(home: Path) -> None:
    """Move this process, and all that it starts, away from the user's home and settings."""
    for name in [*os.environ]:
        if name.startswith(("GIT_", "KIMI_", "CLAUDE", "XDG_")):
            del os.environ[name]
    home.mkdir()
    os.environ["HOME"] = str(home)
    (home / ".gitconfig").write_text(
        "[user]\n\tname = Bench\n\temail = bench@example.invalid\n[init]\n\tdefaultBranch = main\n",
        encoding="utf-8",
    )


def settle(root: Path, *, kimi: Path) -> None:
    """Give what is started from now on a state folder and a Kimi home in *root*, and this Kimi."""
    os.environ["KIMI_MCP_HOME"] = str(root / "state")
    os.environ["KIMI_MCP_CONFIG"] = str(root / "kimi-mcp.toml")
    os.environ["KIMI_CODE_HOME"] = str(root / "kimi-home")
    os.environ["KIMI_MCP_KIMI"] = str(kimi)
    (root / "kimi-home").mkdir(parents=True)


def repository(root: Path, *, files: int = 0) -> Sandbox:
    """Make a repository with the spec, the program that it changes, and *files* more files."""
    root.mkdir(parents=True)
    made = Sandbox(root)
    made.git("init", "-q")
    made.write("app.py", "def greet(name):\n    return 'Hello ' + name\n")
    made.write(SPEC_PATH, SPEC)
    for number in range(files):
        text = "".join(f"def f{line}():\n    return {number * line}\n" for line in range(40))
        made.write(f"src/part_{number // 100}/module_{number % 100}.py", text)
    made.commit()
    return made
