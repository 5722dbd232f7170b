"""The README's path, followed to the letter in a home where nothing of ours has ever been."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import platformdirs
import pytest

from claude_code import QUIET, program
from kimi_mcp.cli.finding import State
from kimi_mcp.demo.script import say
from kimi_mcp.demo.scripted_model import ScriptedModel, kimi_config
from patience import PATIENCE_S
from sandbox import Sandbox
from terminal import Terminal

ROOT = Path(__file__).parents[2]
INSTALL = re.compile(r"^pipx install .+$", re.MULTILINE)
QUESTION = r"\[y/N\]"
PLAN = """\
# Plan: three greetings

## Task 1: A formal greeting
- Create `formal.py` with `greet_formally(name)`.
- Create `test_formal.py`

## Task 2: A casual greeting
- Create `casual.py`
"""
#: How this machine reaches a package index.
REACH = re.compile(r"(?i)PIP_\w+|\w+_PROXY|SSL_CERT_\w+")
#: What pip keeps of its downloads on this machine: those that have brought the tests, for instance.
DOWNLOADED = platformdirs.user_cache_path("pip", appauthor=False)  # before the home is another
Run = Callable[..., str]


@pytest.fixture
def newcomer(tmp_path: Path, kimi_main: Path) -> Mapping[str, str]:
    """A person with pipx, Claude Code and Kimi on PATH, and else what the system has."""
    home, tools = tmp_path / "newcomer", tmp_path / "tools"
    home.mkdir()
    tools.mkdir()
    owned = {
        "claude": program(),
        "kimi": kimi_main,
        "pipx": Path(sys.executable).with_name("pipx"),
    }
    for name, file in owned.items():
        (tools / name).symlink_to(file)
    system = [
        folder
        for folder in os.environ["PATH"].split(os.pathsep)
        if not any(Path(folder, name).exists() for name in ("kimi-mcp", *owned))
    ]
    return {
        "HOME": str(home),
        "PATH": os.pathsep.join([str(home / ".local/bin"), str(tools), *system]),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "SHELL": "/bin/sh",
        "PIP_CACHE_DIR": str(DOWNLOADED),
        **{name: value for name, value in os.environ.items() if REACH.fullmatch(name)},
        **QUIET,
    }


@pytest.fixture
def run(newcomer: Mapping[str, str], sandbox: Sandbox) -> Run:
    """Return the function that runs a command of this person's in a repository."""

    def call(*argv: str, given: str = "") -> str:
        done = subprocess.run(
            argv,
            cwd=sandbox.root,
            env=newcomer,
            input=given,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        return done.stdout

    return call


async def test_one_command_and_one_question_lead_from_nothing_to_an_offer_after_a_plan(
    newcomer: Mapping[str, str], run: Run, sandbox: Sandbox, tmp_path: Path
) -> None:
    (line,) = INSTALL.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    clone = tmp_path / "clone"
    shutil.copytree(ROOT / "kimi_mcp", clone / "kimi_mcp")
    for name in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, clone)
    home = Path(newcomer["HOME"])
    plan = home / ".claude/plans/quiet-river.md"

    with ScriptedModel({"": [say("ready")]}) as model:
        (home / ".kimi-code").mkdir()
        (home / ".kimi-code/config.toml").write_text(kimi_config(model), encoding="utf-8")
        unfound = newcomer["PATH"].partition(os.pathsep)[2]  # a shell looks for new folders later
        argv = ["/bin/sh", "-c", line]
        env = {**newcomer, "PATH": unfound}
        with Terminal(tmp_path / "terminal", argv, cwd=clone, env=env) as terminal:
            await terminal.shows(QUESTION, within_s=PATIENCE_S)
            terminal.press("y", "Enter")
            await terminal.is_over()
            shown = terminal.everything()
        examined = json.loads(run("kimi-mcp", "doctor", "--json"))

    listed = run("claude", "mcp", "list")
    plan.parent.mkdir(parents=True)
    plan.write_text(PLAN, encoding="utf-8")
    event = {
        "cwd": str(sandbox.root),
        "tool_name": "ExitPlanMode",
        "tool_response": {"plan": PLAN, "filePath": str(plan), "isAgent": False},
    }
    offered = run("/bin/sh", "-c", hook_line(home), given=json.dumps(event))

    assert len(re.findall(QUESTION, shown)) == 1
    assert "Done. Restart Claude Code" in shown
    assert State.BAD not in {finding["state"] for finding in examined}
    assert {"server", "plugin", "hook", "rule"} <= {finding["name"] for finding in examined}
    assert re.search(r"^plugin:kimi-mcp:kimi: .* ✔ Connected$", listed, re.MULTILINE), listed
    assert "Who implements this plan?" in offered
    assert json.dumps(str(plan))[1:-1] in offered


def hook_line(home: Path) -> str:
    """Return what Claude Code runs after an approval."""
    (hooks,) = home.glob(".local/share/**/kimi-mcp/hooks/hooks.json")
    (entry,) = json.loads(hooks.read_text(encoding="utf-8"))["hooks"]["PostToolUse"]
    return entry["hooks"][0]["command"]
