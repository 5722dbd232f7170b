"""A dispatch told as it happens: its events, each with its line of progress."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio

from kimi_mcp.dispatch.follow import follow
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.records import Event
from kimi_mcp.review.progress import Progress


async def told(
    bench: Workbench, dispatch: DispatchId, *, after: int = 0, is_from_now: bool = False
) -> AsyncGenerator[tuple[Event, str | None]]:
    """Yield each event after number *after* with its line, to the dispatch's end.

    *is_from_now*: only what is to come.

    Close it (`contextlib.aclosing`) when leaving early.
    """
    tasks = await anyio.to_thread.run_sync(bench.history.tasks, dispatch)
    progress = Progress([task.number for task in tasks])
    if is_from_now:
        after = len(await anyio.to_thread.run_sync(bench.history.events, dispatch))
    async with aclosing(follow(bench, dispatch, after=after)) as events:
        async for event in events:
            yield event, progress.line(event)
