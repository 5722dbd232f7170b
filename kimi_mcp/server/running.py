"""A tool call that runs Kimi, and one that waits for news of it.

The call streams in the foreground. A client that takes tasks is then handed the run, so that its
model can do something else; any other is kept up to the end, with signs of life in between.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio

from kimi_mcp import log
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.server.calls import Calls
from kimi_mcp.server.replies import Reply
from kimi_mcp.server.runs import Runs
from kimi_mcp.server.streaming import Call, stream
from kimi_mcp.server.tasks import takes_tasks

if TYPE_CHECKING:
    from kimi_mcp.dispatch.launch import Launched
    from kimi_mcp.history.records import Run

AWAITED = (
    "Its result comes by itself and will wake you: do not wait for it and do not poll. "
    "End your turn."
)


class Running:
    """The calls of one server that take as long as Kimi does."""

    def __init__(self, bench: Workbench, calls: Calls, runs: Runs) -> None:
        self._bench = bench
        self._calls = calls
        self._runs = runs

    async def run(
        self, ctx: Call, start: "Callable[[Workbench], Launched]", *, is_background: bool = False
    ) -> Reply:
        """Start a runner, follow it, and tell what came of it, unless the run is handed over."""
        request = ctx.request_id
        self._calls.begin(request)
        try:
            launched = await anyio.to_thread.run_sync(start, self._bench)
            self._calls.launched(request, launched.dispatch)
            log.note("dispatch.launched", dispatch=launched.dispatch)
            reply = await self._follow(ctx, launched, is_background=is_background)
        except anyio.get_cancelled_exc_class():
            raise  # the middleware may still ask which dispatch this was
        except BaseException:
            self._calls.end(request)
            raise
        self._calls.end(request)
        return reply

    async def look(
        self,
        ctx: Call,
        dispatch: str | None,
        *,
        wait_s: float,
        show: Callable[..., str],
    ) -> Reply:
        """Show a dispatch after a wait for a task's end; what comes by itself is not waited for."""
        from kimi_mcp.review.showing import chosen

        bench = self._bench
        meant = await anyio.to_thread.run_sync(chosen, bench, dispatch)
        is_awaited = takes_tasks(ctx.request_context) and self._runs.is_awaited(meant)
        if wait_s and not is_awaited:
            with anyio.move_on_after(wait_s):
                await stream(ctx, bench, meant, is_until_change=True)
        text = await anyio.to_thread.run_sync(show, bench, meant)
        state = (await anyio.to_thread.run_sync(bench.history.dispatch, meant)).state
        if wait_s and is_awaited and not state.is_terminal:
            text += f"\n{AWAITED}"
        return Reply(text=text)

    async def _follow(self, ctx: Call, launched: "Launched", *, is_background: bool) -> Reply:
        bench, dispatch = self._bench, launched.dispatch
        can_hand_over = takes_tasks(ctx.request_context)
        foreground_s = 0.0 if is_background else None
        if can_hand_over and not is_background:
            foreground_s = (await anyio.to_thread.run_sync(bench.settings)).foreground_s
        with anyio.move_on_after(foreground_s) as foreground:
            await stream(ctx, bench, dispatch, is_from_now=launched.is_again)
        if foreground.cancelled_caught:
            if can_hand_over:
                self._runs.hand_over(ctx.request_id, launched.run)
            return Reply(text=launched.text)
        return await anyio.to_thread.run_sync(self._ended, launched)

    def _ended(self, launched: "Launched") -> Reply:
        from kimi_mcp.review.standing import ending

        run: Run | None = self._bench.history.run(launched.run)
        if run is None:
            raise ValueError(launched.run)
        end = ending(self._bench, run)
        log.note("dispatch.ended", dispatch=run.dispatch, state=end.state, steps=end.steps)
        return Reply(text=end.text, is_error=not end.is_delivered)
