"""Following a dispatch to its end: a live view for a person, a line for each change for a file.

The only thing that `dispatch`, `resume`, `revise` and `watch` share with one another and the demo.
"""

import os
import sys
from contextlib import aclosing

import anyio

from kimi_mcp.dispatch.follow import follow
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.records import Run
from kimi_mcp.review.telling import told

_DUMB = {"", "dumb", "unknown"}


def followed(bench: Workbench, dispatch: DispatchId) -> bool:
    """Show what happens in the newest run of a dispatch; tell whether that was seen to its end."""
    if is_watchable():
        from kimi_mcp.cli.live import watch  # noqa: PLC0415  it draws, so it loads rich

        return anyio.run(watch, bench, dispatch)
    anyio.run(_print_lines, bench, bench.history.runs(dispatch)[-1])
    return True


def is_watchable() -> bool:
    """Tell whether a person sits before a terminal that can be drawn on, with keys to press."""
    is_capable = os.name == "posix" and os.environ.get("TERM", "") not in _DUMB
    return is_capable and sys.stdin.isatty() and sys.stdout.isatty()


async def until_over(bench: Workbench, dispatch: DispatchId) -> None:
    """Wait for a dispatch's end, and show nothing."""
    async with aclosing(follow(bench, dispatch)) as events:
        async for _ in events:
            pass


async def _print_lines(bench: Workbench, run: Run) -> None:
    lines = told(bench, run.dispatch, after=run.first_event - 1)
    async with aclosing(lines) as happening:
        async for _, line in happening:
            if line is not None:
                print(bench.redact(f"  {line}"), flush=True)
