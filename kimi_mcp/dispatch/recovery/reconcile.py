"""Telling the dead from the living.

Whoever works on a dispatch holds its lifeline, and the kernel drops it when they die. So a dispatch
that the history calls live and whose lifeline is free has lost its runner, or never had one;
nothing else is ever taken for a death. Called before every list and when a follower sees no news.
"""

from contextlib import suppress

from kimi_mcp.dispatch.recovery import lifeline
from kimi_mcp.dispatch.recovery.aftermath import LOST, write_off
from kimi_mcp.dispatch.recovery.underway import put_right
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import StoreUnusable
from kimi_mcp.history.records import Dispatch


def reconcile(bench: Workbench) -> None:
    """Put every dispatch right whose runner is dead, and write it off as lost; then checkouts.

    What cannot be written now (a full disk, a locked file) is done at the next look.
    """
    for dispatch in bench.history.live():
        with suppress(StoreUnusable):
            _reconcile_one(bench, dispatch)
    put_right(bench.state)


def _reconcile_one(bench: Workbench, dispatch: Dispatch) -> None:
    run = bench.state.run(dispatch.id)
    with lifeline.held(run) as mine:
        if mine is None and run.root.is_dir():
            return  # somebody works on it
        # a runner writes its last state before it lets go: only who is still live now is lost
        found = bench.history.dispatch(dispatch.id)
        if not found.state.is_terminal:
            write_off(bench.history, found, run, at=bench.stamp(), why=LOST)
