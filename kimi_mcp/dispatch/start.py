"""Starting the detached runner of a dispatch.

It is started before it is known whether there will be a dispatch: loading its modules takes as long
as looking at the spec does. Then it is told which one, by a socket; where none comes of the call it
ends, and so it does when we die.

Telling it returns when it has really claimed the queued rows: "running" is never a hope. A dispatch
whose runner does not come is written off at once.
"""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from kimi_mcp import private
from kimi_mcp.dispatch.recovery import lifeline
from kimi_mcp.dispatch.recovery.aftermath import write_off
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import Refused, Unready
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.lifecycle import DispatchState
from kimi_mcp.processes.environment import passed_on

LIFELINE_WAIT_S = 10.0  # a reader may just be looking at it, or putting right what was left
CLAIM_BOUND_S = 30.0
CLAIM_POLL_S = 0.005
KIMI_PREFIX = "KIMI_"  # Kimi's own variables and ours; everything else needs the allow list
RUNNER = "kimi_mcp.dispatch.running.runner"


@contextmanager
def taken(bench: Workbench, dispatch: DispatchId) -> Generator[int]:
    """Hold the lifeline of a dispatch that is to be queued, from before it is.

    Raises:
        Refused: somebody else has taken it up.
        Unready: nothing can be written there.
    """
    run = bench.state.run(dispatch)
    try:
        run.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Unready(f"{run.root} cannot be made: {error.strerror}. Correct that.") from error
    with lifeline.held(run, wait_s=LIFELINE_WAIT_S) as mine:
        if mine is None:
            raise Refused(f"{dispatch} was taken up by somebody else just now; look again.")
        yield mine


class Runner:
    """A runner that has been started. Made by `runner_started` only."""

    def __init__(
        self, bench: Workbench, process: subprocess.Popen[bytes], orders: socket.socket
    ) -> None:
        self._bench = bench
        self._process = process
        self._orders = orders
        #: Whether it has been told its dispatch, and is on its own.
        self.is_sent = False

    def carry_out(self, dispatch: DispatchId, *, lifeline: int) -> None:
        """Hand it the *lifeline* of a queued dispatch, and wait until it has claimed that.

        Raises:
            Unready: it did not; the dispatch is written off.
        """
        log = self._bench.state.run(dispatch).log
        try:
            self._send(dispatch, lifeline=lifeline, log=log)
            self._await_claim(dispatch, log=log)
        except BaseException:
            give_up(self._bench, dispatch)
            raise

    def _send(self, dispatch: DispatchId, *, lifeline: int, log: Path) -> None:
        try:
            file = open(log, "ab", opener=private.opener)  # noqa: SIM115  closed below
        except OSError as error:
            raise Unready(f"{log} cannot be written: {error.strerror}. Correct that.") from error
        with file, suppress(BrokenPipeError):  # it has ended, which its claim will show
            socket.send_fds(self._orders, [dispatch.encode()], [lifeline, file.fileno()])
        self.is_sent = True

    def _await_claim(self, dispatch: DispatchId, *, log: Path) -> None:
        deadline = time.monotonic() + CLAIM_BOUND_S
        while self._bench.history.dispatch(dispatch).state is DispatchState.QUEUED:
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._keep_words(log)
                raise Unready(
                    f"The runner of {dispatch} did not start; its last words are in {log}."
                )
            time.sleep(CLAIM_POLL_S)

    def _keep_words(self, log: Path) -> None:
        """Keep what it said before it had a log."""
        assert self._process.stderr is not None  # noqa: S101  it is a pipe
        os.set_blocking(self._process.stderr.fileno(), False)
        # nothing can be written there: then that is what has happened to the runner, too
        with suppress(OSError), open(log, "ab", opener=private.opener) as file:
            file.write(self._process.stderr.read() or b"")


@contextmanager
def runner_started(bench: Workbench) -> Generator[Runner]:
    """Start a runner, which loads what it needs meanwhile; end it if it is told no dispatch."""
    kimis = {name: value for name, value in bench.environ.items() if name.startswith(KIMI_PREFIX)}
    orders, theirs = socket.socketpair()
    with orders, theirs:
        process = subprocess.Popen(
            # -P: a repository's own sqlite3.py must not become part of the runner
            [sys.executable, "-P", "-m", RUNNER, str(theirs.fileno())],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=bench.state.root,
            env={**passed_on(bench.environ), **kimis, "KIMI_MCP_HOME": str(bench.state.root)},
            start_new_session=True,
        )
        theirs.close()
        runner = Runner(bench, process, orders)
        try:
            yield runner
        finally:
            if not runner.is_sent:
                process.kill()
            # nobody may wait for it, but a child that ended must not stay a zombie of a server
            threading.Thread(target=process.communicate, daemon=True, name="reaper").start()


def give_up(bench: Workbench, dispatch: DispatchId) -> None:
    """Write a dispatch off whose runner has not come; only for who holds its lifeline."""
    found = bench.history.dispatch(dispatch)
    if found.state is DispatchState.QUEUED:
        run = bench.state.run(dispatch)
        write_off(bench.history, found, run, at=bench.stamp(), why="The runner never started.")
