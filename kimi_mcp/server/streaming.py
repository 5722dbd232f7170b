"""A dispatch's progress on the wire of a running call."""

from contextlib import aclosing
from typing import Any

import anyio
from mcp.server.mcpserver import Context

from kimi_mcp.dispatch.follow import follow
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.review.progress import Progress

Call = Context[None, Any]


async def stream(
    ctx: Call,
    bench: Workbench,
    dispatch: DispatchId,
    *,
    is_from_now: bool = False,
    is_until_change: bool = False,
) -> None:
    """Send a line of progress for each event, to the dispatch's end or a task's."""
    tasks = await anyio.to_thread.run_sync(bench.history.tasks, dispatch)
    progress = Progress([task.number for task in tasks])
    known = 0
    if is_from_now or is_until_change:
        known = len(await anyio.to_thread.run_sync(bench.history.events, dispatch))
    async with aclosing(follow(bench, dispatch, after=known)) as events:
        async for event in events:
            line = progress.line(event)
            if line is not None:
                await ctx.report_progress(event.number, None, line)
            if is_until_change and event.kind == "task.ended":
                return
