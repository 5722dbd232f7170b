"""How a command ends when it does not end by itself: a closed pipe, Ctrl+C, a bug, `stop`."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from kimi_mcp.demo.script import Reply, bash, write
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.lifecycle import DispatchState
from living import until
from patience import PATIENCE_S
from sandbox import Sandbox, StartModel
from survivors import daemonized, happened, living, process_in, processes_of

Run = Callable[..., subprocess.CompletedProcess[str]]

TASK = "# Your task (1)"
ROOT = Path(__file__).parents[2]


def test_a_reader_that_has_seen_enough_is_no_error(
    kimi_mcp: Run, one_task: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)  # the error hides in the last flush
    dispatched = kimi_mcp("dispatch", "1", "--background")
    assert dispatched.returncode == 0

    with subprocess.Popen(
        [sys.executable, "-m", "kimi_mcp", "history"],
        cwd=one_task.root,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as history:
        assert history.stdout is not None
        assert history.stderr is not None
        history.stdout.close()
        assert history.stderr.read() == b""
        assert history.wait(PATIENCE_S) == 0

    stop(kimi_mcp, dispatched)


async def test_ctrl_c_ends_the_watching_and_not_the_work(
    one_task: Sandbox, start_model: StartModel
) -> None:
    held = threading.Event()
    model = start_model({TASK: (write("one.py", "print(1)\n"), Reply(text="done", wait_for=held))})
    bench = Workbench.open()
    with anyio.fail_after(PATIENCE_S):
        async with await anyio.open_process(
            [sys.executable, "-m", "kimi_mcp", "dispatch", "1"],
            cwd=one_task.root,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        ) as watching:
            await happened(model.reached(TASK, 1))
            watching.send_signal(signal.SIGINT)
            assert await watching.wait() == 130
            assert watching.stderr is not None
            assert b"Traceback" not in b"".join([chunk async for chunk in watching.stderr])
        held.set()
        await until(lambda: not bench.history.live())
    assert bench.history.recent(limit=1)[0].state is DispatchState.FINISHED


async def test_stop_ends_every_process_that_kimi_started_and_keeps_the_work(
    kimi_mcp: Run,
    one_task: Sandbox,
    start_model: StartModel,
    noticeboard: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KIMI_MCP_LIMITS_GRACE_S", "1")
    names = "regrouped", "daemon", "stubborn"
    regrouped, daemon, stubborn = (noticeboard / name for name in names)
    start_model(
        {
            TASK: (
                write("one.py", "HALF = 1\n"),
                bash(
                    f"setsid sh -c 'echo $$ > {regrouped}; exec sleep 300' >/dev/null 2>&1 &"
                    f"{daemonized(f'echo $$ > {daemon}; exec sleep 300')}"
                ),
                bash(f"trap '' TERM; echo $$ > {stubborn}; while :; do sleep 1; done"),
            )
        }
    )
    with anyio.fail_after(PATIENCE_S):
        begun = await anyio.to_thread.run_sync(kimi_mcp, "dispatch", "1", "--background")
        dispatch = begun.stdout.split(":", 1)[0]
        started = [await process_in(file) for file in (regrouped, daemon, stubborn)]
        assert living(started) == started

        done = await anyio.to_thread.run_sync(kimi_mcp, "stop", dispatch)

        assert not living(started)
        await until(lambda: not processes_of(dispatch))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{dispatch}: cancelled, 0 of 1 delivered, 1 cancelled")
    ref = f"refs/kimi/{dispatch}/task-1.a1"
    assert ref in done.stdout
    assert one_task.show(ref, "one.py") == "HALF = 1"


def test_a_bug_of_ours_is_exit_code_3_and_leaves_a_file_to_send() -> None:
    planted = (
        "import sys\n"
        "from kimi_mcp.cli import looking_back, main\n"
        "looking_back.history = lambda _: 1 / 0\n"
        "sys.exit(main.main(['history']))\n"
    )

    done = subprocess.run(
        [sys.executable, "-c", planted],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("kimi-mcp: this is a bug of ours. Please send ")
    file = Path(done.stderr.strip().rsplit(" ", 1)[1])
    assert file.parent == Path(os.environ["KIMI_MCP_HOME"])
    assert "ZeroDivisionError" in file.read_text(encoding="utf-8")


def stop(kimi_mcp: Run, dispatched: subprocess.CompletedProcess[str]) -> None:
    """End what a test has left going."""
    assert kimi_mcp("stop", dispatched.stdout.split(":", 1)[0]).returncode == 0
