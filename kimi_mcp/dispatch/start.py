"""Starting the detached runner of a dispatch.

It is started before it is known whether there will be a dispatch: where its modules are not loaded
yet, that takes as long as looking at the spec does. Then it is told which one, by a socket; where
none comes of the call it ends, and so it does when we die.

Telling it returns when it has really claimed the queued rows: "running" is never a hope. A dispatch
whose runner does not come is written off at once.
"""

import socket
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from kimi_mcp import private
from kimi_mcp.dispatch.recovery import lifeline
from kimi_mcp.dispatch.recovery.aftermath import write_off
from kimi_mcp.dispatch.runners import Runners, runners_of_a_call
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import Refused, Unready
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.lifecycle import DispatchState

LIFELINE_WAIT_S = 10.0  # a reader may just be looking at it, or putting right what was left
CLAIM_BOUND_S = 30.0


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

    def __init__(self, bench: Workbench, runners: Runners, orders: socket.socket) -> None:
        self._bench = bench
        self._runners = runners
        self._orders = orders

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
        with file, suppress(OSError):  # it has ended, which its claim will show
            socket.send_fds(self._orders, [dispatch.encode()], [lifeline, file.fileno()])

    def _await_claim(self, dispatch: DispatchId, *, log: Path) -> None:
        self._orders.settimeout(CLAIM_BOUND_S)
        with suppress(OSError):  # reset: it is gone
            self._orders.recv(1)
        if self._bench.history.dispatch(dispatch).state is DispatchState.QUEUED:
            self._keep_words(log)
            self._runners.close()  # the next one is forked from another process
            raise Unready(f"The runner of {dispatch} did not start; its last words are in {log}.")

    def _keep_words(self, log: Path) -> None:
        # nothing can be written there: then that is what has happened to the runner, too
        with suppress(OSError), open(log, "ab", opener=private.opener) as file:
            file.write(self._runners.last_words())


@contextmanager
def runner_started(bench: Workbench) -> Generator[Runner]:
    """Start a runner, which loads what it needs meanwhile; end it if it is told no dispatch."""
    with ExitStack() as stack:
        runners = bench.runners or stack.enter_context(
            runners_of_a_call(bench.state, bench.environ)
        )
        yield Runner(bench, runners, stack.enter_context(runners.started()))


def give_up(bench: Workbench, dispatch: DispatchId) -> None:
    """Write a dispatch off whose runner has not come; only for who holds its lifeline."""
    found = bench.history.dispatch(dispatch)
    if found.state is DispatchState.QUEUED:
        run = bench.state.run(dispatch)
        write_off(bench.history, found, run, at=bench.stamp(), why="The runner never started.")
