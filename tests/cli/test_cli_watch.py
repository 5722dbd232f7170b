"""`kimi-mcp watch` in a real terminal, and piped."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import anyio
import anyio.to_thread

from kimi_mcp.demo.script import Reply, say, write
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.lifecycle import DispatchState
from living import until
from patience import PATIENCE_S
from sandbox import Sandbox, StartModel
from survivors import happened
from terminal import Terminal

Run = Callable[..., subprocess.CompletedProcess[str]]
ROOT = Path(__file__).parents[2]
TASK = "# Your task (1)"


def watching(folder: Path, cwd: Path, *words: str, **env: str) -> Terminal:
    """A terminal of 80 columns in which `kimi-mcp` runs."""
    told = {
        **{name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}},
        "PYTHONPATH": str(ROOT),
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
        **env,
    }
    return Terminal(
        folder, [sys.executable, "-m", "kimi_mcp", *words], cwd=cwd, env=told, columns=80, rows=24
    )


async def test_a_person_watches_reads_the_log_leaves_comes_back_and_cancels(
    one_task: Sandbox, start_model: StartModel, tmp_path: Path
) -> None:
    held = threading.Event()
    model = start_model({TASK: (write("one.py", "print(1)\n"), Reply(text="done", wait_for=held))})
    bench = Workbench.open()
    screens = tmp_path / "screens"
    try:
        with anyio.fail_after(PATIENCE_S):
            with watching(screens, one_task.root, "dispatch", "1") as terminal:
                await happened(model.reached(TASK, 1))
                screen = await terminal.shows(r"Write one\.py · thinking")
                dispatch = bench.history.recent(limit=1)[0].id
                lines = [re.sub(r"\d:\d\d", "T:TT", line) for line in screen.splitlines()]
                assert lines == [
                    f"{dispatch} · running · T:TT · One part",
                    "0 of 1 delivered · 2 steps, predicted 4\N{EN DASH}6",
                    "",
                    "      task                state     steps checks  time",
                    "> ● 1 One                 running   2/100    0/1  T:TT Write one.py · thinking",
                    "",
                    "Through kimi-mcp at least 2 steps in 7 days and 2 in 5 hours.",
                    "↑ ↓ task · l log · c cancel · q leave, the work goes on",
                ]
                terminal.type("l")
                assert "1. Write one.py" in await terminal.shows(r"scroll")
                terminal.type("q")
                left = await terminal.shows("kimi-mcp stop")
                await terminal.is_over()
                assert "It goes on" in left
                assert "scroll" not in left  # the screen is as it was before
            assert [one.id for one in bench.history.live()] == [dispatch]

            with watching(screens, one_task.root, "watch") as terminal:
                await terminal.shows(r"> ● 1 One  ")
                terminal.press("C-c")
                await terminal.is_over()
                assert "One" not in terminal.screen()  # the screen is as it was before
            assert [one.id for one in bench.history.live()] == [dispatch]

            with watching(screens, one_task.root, "watch", LANG="C") as terminal:
                screen = await terminal.shows(r"> \* 1 One  ")
                assert screen.isascii()
                terminal.type("c")
                await terminal.shows(r"Stop Kimi\? The work so far is kept")
                terminal.type("y")
                await terminal.shows(rf"{dispatch}: cancelled, 0 of 1 delivered, 1 cancelled")
                await terminal.is_over()
    finally:
        held.set()
        await until(lambda: not bench.history.live())
    assert bench.history.recent(limit=1)[0].state is DispatchState.CANCELLED


async def test_piped_it_tells_what_dispatch_told_a_line_for_each_change(
    kimi_mcp: Run, one_task: Sandbox, start_model: StartModel
) -> None:
    start_model({TASK: (write("one.py", "print('one')\n"), say("done"))})
    assert one_task.root.exists()

    told = await anyio.to_thread.run_sync(kimi_mcp, "dispatch", "1")
    again = await anyio.to_thread.run_sync(kimi_mcp, "watch")

    happened_then = [line for line in told.stdout.splitlines() if line.startswith("  step ")]
    assert len(happened_then) > 3
    assert [line for line in again.stdout.splitlines() if line.startswith("  step ")] == (
        happened_then
    )
    assert (again.returncode, again.stderr) == (0, "")
    assert "\x1b" not in again.stdout
    assert ": 1 of 1 delivered" in again.stdout


def test_a_file_that_takes_no_unicode_gets_the_nearest_letters(
    kimi_mcp: Run, one_task: Sandbox
) -> None:
    assert one_task.root.exists()
    os.environ["PYTHONIOENCODING"] = "ascii"
    try:
        done = kimi_mcp("dispatch", "1")
    finally:
        del os.environ["PYTHONIOENCODING"]

    assert (done.returncode, done.stderr) == (0, "")
    assert '  step 1 - task 1/1 - "Write one.py"' in done.stdout


def test_neither_server_nor_runner_nor_hook_loads_what_draws() -> None:
    doors = (
        "kimi_mcp.server.app",
        "kimi_mcp.dispatch.running.runner",
        "kimi_mcp.cli.hook",
        "kimi_mcp.cli.main",
    )
    for door in doors:
        code = f"import sys, {door}; print('rich' in sys.modules, 'shtab' in sys.modules)"
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert done.stdout.split() == ["False", "False"], door
