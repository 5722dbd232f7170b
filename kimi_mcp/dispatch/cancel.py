"""Asking a dispatch to stop. Its runner ends Kimi and all that it started, and keeps the work."""

from contextlib import aclosing

import anyio

from kimi_mcp.dispatch.follow import follow
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId

WAIT_S = 30.0


async def cancel(
    bench: Workbench, dispatch: DispatchId, *, tasks: tuple[int, ...] | None, reason: str
) -> bool:
    """Record the wish, and wait until it is fulfilled (bounded).

    Returns:
        Whether anything named was still live.

    Raises:
        Refused: there is no such dispatch or task.
    """
    for number in tasks or ():
        bench.history.task(dispatch, number)
    is_live = bench.history.request_cancel(dispatch, at=bench.stamp(), reason=reason, tasks=tasks)
    if is_live:
        with anyio.move_on_after(WAIT_S):
            await _until_over(bench, dispatch, tasks)
    return is_live


async def _until_over(
    bench: Workbench, dispatch: DispatchId, tasks: tuple[int, ...] | None
) -> None:
    async with aclosing(follow(bench, dispatch)) as events:
        async for _ in events:
            states = bench.history.tasks(dispatch)
            if tasks and all(t.state.is_terminal for t in states if t.number in tasks):
                return
