"""A dispatch's progress on the wire of a running call.

Without news the latest line is repeated, with the time since. A client would else take the call for
dead: Claude Code 2.1.330 gives up one that showed nothing for 30 minutes. Progress must rise, so a
repeated line comes between two events' numbers.
"""

from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import anyio
from mcp.server.mcpserver import Context

from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId

Call = Context[None, Any]

BEAT_S = 20.0
BEAT = 0.0001  # of an event's number; more than two days of beats between two events


@dataclass(slots=True)
class _Line:
    """What was last sent, and when."""

    progress: float = 0
    text: str = "starting"
    new_at: float = field(default_factory=anyio.current_time)
    sent_at: float = field(default_factory=anyio.current_time)


async def stream(
    ctx: Call,
    bench: Workbench,
    dispatch: DispatchId,
    *,
    is_from_now: bool = False,
    is_until_change: bool = False,
) -> None:
    """Send a line of progress for each event, to the dispatch's end.

    *is_until_change*: or to a task's end, when other tasks go on after it.
    """
    from kimi_mcp.review.telling import told

    latest = _Line()
    lines = told(bench, dispatch, is_from_now=is_from_now or is_until_change)
    try:
        async with anyio.create_task_group() as group, aclosing(lines) as happening:
            group.start_soon(_beat, ctx, latest)
            async for event, line in happening:
                if line is not None:
                    latest.progress, latest.text = event.number, line
                    latest.new_at = latest.sent_at = anyio.current_time()
                    await ctx.report_progress(event.number, None, line)
                if is_until_change and event.kind == "task.ended":
                    tasks = await anyio.to_thread.run_sync(bench.history.tasks, dispatch)
                    others = [task for task in tasks if task.number != event.task]
                    if not all(task.state.is_terminal for task in others):
                        break
            group.cancel_scope.cancel()
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from failures


async def _beat(ctx: Call, latest: _Line) -> None:
    while True:
        await anyio.sleep(max(0, latest.sent_at + BEAT_S - anyio.current_time()))
        now = anyio.current_time()
        if now - latest.sent_at >= BEAT_S:
            latest.progress += BEAT
            latest.sent_at = now
            await ctx.report_progress(
                latest.progress, None, f"{latest.text} · {now - latest.new_at:.0f} s"
            )
