"""The runner that is started before it is known whether there is anything to carry out."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from dispatching import bench_of
from harvest import ORDERS
from kimi_mcp.dispatch.start import RUNNER, runner_started, taken
from kimi_mcp.errors import Unready
from kimi_mcp.history import new_dispatch_id
from kimi_mcp.lifecycle import DispatchState
from patience import PATIENCE_S
from sandbox import Sandbox
from unwritten import new_dispatch

NOON = "2026-01-02T12:00:00.000Z"
DISPATCH = new_dispatch_id(1, "add-login", "7k3f")


def test_a_runner_that_is_told_nothing_is_ended(sandbox: Sandbox) -> None:
    bench = bench_of(sandbox)

    before = {*psutil.Process().children()}
    with runner_started(bench):
        (process,) = {*psutil.Process().children()} - before

    process.wait(PATIENCE_S)


def test_a_runner_whose_caller_dies_first_ends_by_itself(sandbox: Sandbox) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        runner = subprocess.Popen(
            [sys.executable, "-P", "-m", RUNNER, str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            env={**os.environ, "KIMI_MCP_HOME": str(bench_of(sandbox).state.root)},
        )

    assert runner.wait(PATIENCE_S) == 0


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
