"""The runner that is started before it is known whether there is anything to carry out."""

import os
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import anyio
import psutil
import pytest

from dispatching import bench_of
from harvest import ORDERS
from kimi_mcp.dispatch.runners import RUNNER, Runners, runners_of_a_call
from kimi_mcp.dispatch.start import runner_started, taken
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import Unready
from kimi_mcp.history import new_dispatch_id
from kimi_mcp.lifecycle import DispatchState
from living import children, until
from patience import PATIENCE_S
from sandbox import Sandbox
from unwritten import new_dispatch

NOON = "2026-01-02T12:00:00.000Z"
DISPATCH = new_dispatch_id(1, "add-login", "7k3f")


def test_a_runner_that_is_told_nothing_ends(sandbox: Sandbox) -> None:
    bench = bench_of(sandbox)

    with _runners(bench) as runners:
        with runner_started(replace(bench, runners=runners)):
            runner = _runner()

        runner.wait(PATIENCE_S)


def test_runners_end_by_themselves_when_their_caller_dies(sandbox: Sandbox) -> None:
    ours, theirs = socket.socketpair()
    orders, their_orders = socket.socketpair()
    with ours, theirs, orders, their_orders:
        source = subprocess.Popen(
            [sys.executable, "-P", "-m", RUNNER, str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            env={**os.environ, "KIMI_MCP_HOME": str(bench_of(sandbox).state.root)},
        )
        socket.send_fds(ours, [b"."], [their_orders.fileno()])
        runner = _runner()

    assert source.wait(PATIENCE_S) == 0
    runner.wait(PATIENCE_S)


def test_a_server_loads_what_runners_need_once(sandbox: Sandbox) -> None:
    bench = bench_of(sandbox)

    with _runners(bench) as runners:
        runners.warm()
        (source,) = _sources()
        for _ in range(2):
            with runner_started(replace(bench, runners=runners)):
                assert _runner().ppid() == source.pid
            anyio.run(until, lambda: not source.children())  # or it is taken for the next one


def test_where_runners_come_from_is_replaced_when_it_was_killed(sandbox: Sandbox) -> None:
    bench = bench_of(sandbox)

    with _runners(bench) as runners:
        runners.warm()
        (source,) = _sources()
        source.kill()
        psutil.wait_procs([source])
        with runner_started(replace(bench, runners=runners)):
            assert _runner().ppid() != source.pid


def _sources() -> list[psutil.Process]:
    return children(os.getpid(), RUNNER)


def _runner() -> psutil.Process:
    """Wait for a runner, which is a child of the one source that we have."""
    found: list[psutil.Process] = []

    def look() -> bool:
        found[:] = [one for source in _sources() for one in source.children() if _leads(one)]
        return bool(found)

    anyio.run(until, look)
    return found[0]


def _leads(process: psutil.Process) -> bool:
    """Whether it has a session of its own, unlike the git that is asked while modules load."""
    with suppress(ProcessLookupError):
        return os.getsid(process.pid) == process.pid
    return False


@contextmanager
def _runners(bench: Workbench) -> Generator[Runners]:
    """Have runners, and have what they are forked from gone after that."""
    with runners_of_a_call(bench.state, bench.environ) as runners:
        yield runners
    anyio.run(until, lambda: not _sources())


def test_a_runner_that_does_not_come_leaves_its_last_words(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "python"
    program.write_text("#!/bin/sh\necho it is broken >&2\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)
    bench = bench_of(sandbox)
    monkeypatch.setattr(sys, "executable", str(program))

    with runner_started(bench) as runner, taken(bench, DISPATCH) as lifeline:
        new = new_dispatch(DISPATCH, sandbox.root, orders=ORDERS.to_json())
        bench.history.add(new, at=NOON)
        with pytest.raises(Unready, match="its last words are in"):
            runner.carry_out(DISPATCH, lifeline=lifeline)

    assert bench.state.run(DISPATCH).log.read_text(encoding="utf-8") == "it is broken\n"
    assert bench.history.dispatch(DISPATCH).state is DispatchState.LOST


def test_a_log_that_cannot_be_written_is_named_and_the_dispatch_written_off(
    sandbox: Sandbox,
) -> None:
    bench = bench_of(sandbox)
    log = bench.state.run(DISPATCH).log

    with runner_started(bench) as runner, taken(bench, DISPATCH) as lifeline:
        log.mkdir()
        new = new_dispatch(DISPATCH, sandbox.root, orders=ORDERS.to_json())
        bench.history.add(new, at=NOON)
        with pytest.raises(Unready, match=r"runner\.log cannot be written: Is a directory"):
            runner.carry_out(DISPATCH, lifeline=lifeline)

    assert bench.history.dispatch(DISPATCH).state is DispatchState.LOST
