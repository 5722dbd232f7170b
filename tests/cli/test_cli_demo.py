"""The demo, which is what most people see first."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROMISE_S = 60


@pytest.mark.timeout(PROMISE_S + 30)
def test_the_demo_delivers_three_of_three_within_a_minute(tmp_path: Path, kimi_main: Path) -> None:
    state, scratch = tmp_path / "state", tmp_path / "scratch"
    state.mkdir(mode=0o700)
    scratch.mkdir()
    installation = next(folder for folder in kimi_main.parents if folder.name == "kimi")
    (state / "kimi").symlink_to(installation)

    done = subprocess.run(
        [sys.executable, "-m", "kimi_mcp", "demo"],
        cwd=tmp_path,
        env={**os.environ, "TMPDIR": str(scratch), "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PROMISE_S,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "The model is SCRIPTED" in done.stdout
    assert ": 3 of 3 delivered" in done.stdout
    assert "__pycache__" not in done.stdout
    (made,) = scratch.glob("kimi-mcp-demo-*")
    branches = subprocess.run(
        ["git", "branch", "--list", "--format=%(refname:lstrip=4)", "kimi/*"],
        cwd=made / "letters",
        capture_output=True,
        text=True,
        check=True,
    )
    assert branches.stdout.split() == ["merged", "task-1", "task-2", "task-3"]
    assert not (state / "history.db").exists()  # a demo leaves no trace in the user's history
