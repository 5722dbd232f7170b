"""A repository with a spec of one task, a scripted Kimi, and the real Claude Code before it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest

from claude_code import ClaudeCode, StartClaude, program
from sandbox import Sandbox
from scripted_claude import ScriptedClaude, Turn

ONE_TASK = """\
# Spec: 001 -- One part

## Tasks
### Task 1: One
Files:
- CREATE one.py
Verification:
- `python3 -c "import one"`
"""


@pytest.fixture
def one_task(sandbox: Sandbox) -> Sandbox:
    """A repository with spec 1, whose only task creates one.py."""
    sandbox.write("specs/001-one-part.md", ONE_TASK)
    sandbox.commit()
    return sandbox


@pytest.fixture
def start_claude(one_task: Sandbox, tmp_path: Path) -> Iterator[StartClaude]:
    """Serve scripts to a Claude Code that has our server; a script is for who knows its word."""
    program()
    with ExitStack() as models:

        def start(scripts: Mapping[str, Sequence[Turn]]) -> ClaudeCode:
            model = models.enter_context(ScriptedClaude(scripts))
            claude = ClaudeCode(one_task, model, tmp_path / "terminal")
            claude.settle()
            return claude

        yield start
