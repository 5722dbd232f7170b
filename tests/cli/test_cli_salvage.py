"""A damaged history at the command line: every command says what it is, and one mends it."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from damage import leaves, tear
from kimi_mcp.history.history import History
from kimi_mcp.state import StateFolder
from long_history import lengthen

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def damaged() -> Path:
    path = StateFolder.locate(os.environ).history_db
    History.open(path)
    lengthen(path, dispatches=20, events=40)
    tear(path, leaves(path, "tasks")[0])
    return path


def test_commands_say_what_to_do_and_salvaging_makes_them_work_again(
    kimi_mcp: Run, damaged: Path
) -> None:
    met = kimi_mcp("show", "001-long-0000")
    assert met.returncode == 2
    assert "is damaged" in met.stderr
    assert "`kimi-mcp history --salvage`" in met.stderr

    done = kimi_mcp("history", "--salvage")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Salvaged 20 dispatches with ")
    (kept,) = damaged.parent.glob("history.db.damaged-*")
    assert f"The damaged file is kept: {kept}\n" in done.stdout
    listed = kimi_mcp("history")
    assert listed.returncode == 0
    assert listed.stdout.count("001-long-") == 20
    again = kimi_mcp("history", "--salvage")
    assert again.returncode == 2
    assert "is whole" in again.stderr


def test_nothing_is_salvaged_under_the_hands_of_a_runner(kimi_mcp: Run, damaged: Path) -> None:
    run = StateFolder.locate(os.environ).run("001-long-0003")
    run.root.mkdir(parents=True)
    before = damaged.read_bytes()

    with FileLock(run.lifeline):
        refused = kimi_mcp("history", "--salvage")

    assert refused.returncode == 2
    assert "001-long-0003 is at work" in refused.stderr
    assert damaged.read_bytes() == before
