"""A dispatch's progress on the wire of a running call."""

from contextlib import aclosing
from typing import Any

from mcp.server.mcpserver import Context

from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.review.telling import told

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
    lines = told(bench, dispatch, is_from_now=is_from_now or is_until_change)
    async with aclosing(lines) as happening:
        async for event, line in happening:
            if line is not None:
                await ctx.report_progress(event.number, None, line)
            if is_until_change and event.kind == "task.ended":
                return
