"""The live view's loop: hears events and keys, and draws when there is news or a second is over.

It only watches. However it ends, the dispatch goes on: its runner is another process.
"""

import sys
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, field, replace

import anyio
from rich.console import Console
from rich.live import Live

from kimi_mcp.cli import keys
from kimi_mcp.cli.screen import View, drawn
from kimi_mcp.cli.viewing import Leave, Stop, Viewer
from kimi_mcp.dispatch.follow import follow
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.records import Dispatch
from kimi_mcp.quoting.quotes import inline
from kimi_mcp.review.board import Board, clock, in_order, span_s, totals
from kimi_mcp.review.plans import plans_of
from kimi_mcp.review.quota_page import quota_line
from kimi_mcp.review.transcript import whole

TICK_S = 1.0
LEAST_S = 0.1  # between two drawings
TITLE_CHARS = 60
NAMED_OTHERS = 2


@dataclass(slots=True)
class _Watching:
    bench: Workbench
    dispatch: DispatchId
    board: Board
    viewer: Viewer
    news: anyio.Event = field(default_factory=anyio.Event)
    is_over: bool = False

    def wake(self) -> None:
        self.news.set()


async def watch(bench: Workbench, dispatch: DispatchId) -> bool:
    """Show a dispatch until it is over (True), or the person leaves (False)."""
    about = bench.history.dispatch(dispatch)
    tasks = in_order(bench.history.tasks(dispatch))
    watching = _Watching(
        bench=bench,
        dispatch=dispatch,
        board=Board(plans_of(bench, about, tasks)),
        viewer=Viewer([task.number for task in tasks]),
    )
    terminal = sys.stdin.fileno()
    with ExitStack() as stack:
        stack.enter_context(keys.at_once(terminal))
        console = Console()
        live = stack.enter_context(
            Live(
                console=console,
                screen=True,
                auto_refresh=False,
                redirect_stdout=False,
                redirect_stderr=False,
            )
        )
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(_hear, watching, group.cancel_scope)
                group.start_soon(_obey, watching, terminal, group.cancel_scope)
                group.start_soon(_draw, watching, live)
        except ExceptionGroup as failures:
            raise failures.exceptions[0] from failures
    return watching.is_over


async def _hear(watching: _Watching, scope: anyio.CancelScope) -> None:
    async with aclosing(follow(watching.bench, watching.dispatch)) as events:
        async for event in events:
            watching.board.take(event)
            watching.wake()
    watching.is_over = True
    scope.cancel()


async def _obey(watching: _Watching, terminal: int, scope: anyio.CancelScope) -> None:
    async with aclosing(keys.pressed(terminal)) as pressed:
        async for key in pressed:
            match watching.viewer.press(key):
                case Leave():
                    scope.cancel()
                    return
                case Stop(task=task):
                    bench = watching.bench
                    bench.history.request_cancel(
                        watching.dispatch,
                        at=bench.stamp(),
                        reason="kimi-mcp watch",
                        tasks=None if task is None else (task,),
                    )
                case None:
                    pass
            watching.wake()


async def _draw(watching: _Watching, live: Live) -> None:
    while True:
        watching.news = anyio.Event()
        view = await anyio.to_thread.run_sync(_view, watching)
        size = live.console.size
        live.update(drawn(view, columns=size.width, lines=size.height), refresh=True)
        await anyio.sleep(LEAST_S)
        with anyio.move_on_after(TICK_S - LEAST_S):
            await watching.news.wait()


def _view(watching: _Watching) -> View:
    bench, viewer = watching.bench, watching.viewer
    about = bench.history.dispatch(watching.dispatch)
    tasks = bench.history.tasks(watching.dispatch)
    log = None
    if viewer.is_log:
        events = bench.history.events(watching.dispatch, task=viewer.task)
        log = [bench.redact(line) for line in whole(events)]
    rows = watching.board.rows(tasks, now=bench.now())
    return View(
        title=bench.redact(_title(bench, about)),
        totals=totals(tasks),
        quota=" ".join(filter(None, [quota_line(bench, about), _others(bench, about)])),
        rows=[
            replace(row, title=bench.redact(row.title), doing=bench.redact(row.doing))
            for row in rows
        ],
        selected=viewer.selected,
        question=viewer.question,
        log=log,
        scrolled=viewer.scrolled,
    )


def _title(bench: Workbench, about: Dispatch) -> str:
    is_stopping = about.cancel_requested_at is not None and not about.state.is_terminal
    state = "stopping" if is_stopping else about.state
    took = clock(span_s(about, bench.now()))
    return f"{about.id} · {state} · {took} · {inline(about.spec_title, limit=TITLE_CHARS)}"


def _others(bench: Workbench, about: Dispatch) -> str:
    """Name the other dispatches that are live; they are watched by their id."""
    others = [one.id for one in bench.history.live() if one.id != about.id]
    if not others:
        return ""
    more = len(others) - NAMED_OTHERS
    rest = f" and {more} more" if more > 0 else ""
    return f"Also live: {', '.join(others[:NAMED_OTHERS])}{rest}."
