"""What a person sees who waits, and what a pipe does not get."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harvest import Work, harvested
from kimi_mcp.dispatch.housekeeping.clean import clean
from sandbox import Sandbox
from terminal import Terminal

Run = Callable[..., subprocess.CompletedProcess[str]]
ROOT = Path(__file__).parents[2]
TIMING = """\
import sys
from kimi_mcp.cli.waiting import timing
with timing() as begin:
    begin('Installing …')
    open(sys.argv[1]).read()
print('Done.')
"""
COUNTING = """\
import sys
from kimi_mcp.cli.waiting import counting
with counting('Looking at dispatches') as seen:
    seen(3, 8)
    open(sys.argv[1]).read()
print('Done.')
"""
SEEN = {TIMING: r"Installing …\n[-\\|/] 0:00:0[1-9]", COUNTING: r"Looking at dispatches .* 3/8"}


@pytest.mark.parametrize("code", SEEN)
async def test_a_person_sees_time_or_number_go_on_and_then_nothing_of_it(
    tmp_path: Path, code: str
) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    argv = [sys.executable, "-c", code, str(gate)]
    with Terminal(tmp_path / "screens", argv, cwd=ROOT, env=env) as terminal:
        await terminal.shows(SEEN[code])
        gate.write_text("", encoding="utf-8")
        await terminal.shows("Done")
        await terminal.is_over()
        screen = terminal.everything()

    assert "0:00:0" not in screen
    assert "3/8" not in screen


@pytest.mark.parametrize("code", SEEN)
def test_a_pipe_gets_nothing_of_it(code: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code, os.devnull],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stderr == ""
    assert done.stdout in {"Installing …\nDone.\n", "Done.\n"}


def test_cleaning_counts_the_dispatches_that_it_has_looked_at(sandbox: Sandbox) -> None:
    for token in ("aaaa", "bbbb"):
        harvest = harvested(sandbox, Work(files={"one.py": "1\n"}), token=token)
    told: list[tuple[int, int]] = []

    clean(harvest.bench, is_dry_run=True, seen=lambda done, of: told.append((done, of)))

    assert told == [(1, 2), (2, 2)]
