"""The command line as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from kimi_mcp.demo.script import say, write
from sandbox import Sandbox, StartModel

Run = Callable[..., subprocess.CompletedProcess[str]]

SPEC = """\
# Spec: 001 -- One part

## Tasks
### Task 1: One
Files:
- CREATE one.py
Verification:
- `python3 one.py`
"""


@pytest.fixture
def kimi_mcp(sandbox: Sandbox) -> Run:
    """Return the function that runs `kimi-mcp` in the sandbox and waits for its end."""

    def run(
        *arguments: str, cwd: Path | None = None, timeout_s: float = 50
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "kimi_mcp", *arguments],
            cwd=cwd or sandbox.root,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    return run


@pytest.fixture
def one_task(sandbox: Sandbox, start_model: StartModel) -> Sandbox:
    """A repository with spec 1, whose only task Kimi can do."""
    sandbox.write("specs/001-one-part.md", SPEC)
    sandbox.commit()
    start_model({"# Your task (1)": (write("one.py", "print('one')\n"), say("done"))})
    return sandbox
