"""Which running call follows which dispatch, and who ended a call.

A client may end a call for many reasons; only the user's own ends the work. Claude Code 2.1 says
which it was in the reason of `notifications/cancelled`: `user-cancel` (Esc) and `remote-cancel` (an
interrupt through its SDK). Time-outs, closed pipes and silence leave the dispatch running.
"""

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext

from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId

USERS_REASONS = ("user-cancel", "remote-cancel")


class Calls:
    """Remembers the calls that run a dispatch, until they end or are cancelled.

    Used on the event loop only. A request's id is taken as text: the SDK hands it to a tool as such
    and to a middleware as it came, mostly a number.
    """

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._following: dict[str, DispatchId | None] = {}
        self._unwanted: set[str] = set()

    def begin(self, request: str) -> None:
        """Note that *request* is about to start a dispatch."""
        self._following[request] = None

    def launched(self, request: str, dispatch: DispatchId) -> None:
        """Note which dispatch *request* has started; cancel it if the user already said so."""
        self._following[request] = dispatch
        if request in self._unwanted:
            self._cancel(request, dispatch)

    def end(self, request: str) -> None:
        """Forget a call that ended by itself."""
        self._following.pop(request, None)
        self._unwanted.discard(request)

    def cancelled(self, request: str, *, reason: str) -> None:
        """Take in that the client ended *request*."""
        if request not in self._following:
            return
        if not any(word in reason for word in USERS_REASONS):
            self.end(request)
            return
        self._unwanted.add(request)
        dispatch = self._following[request]
        if dispatch is not None:
            self._cancel(request, dispatch)

    async def watch(
        self, ctx: ServerRequestContext[None, object], call_next: CallNext
    ) -> HandlerResult:
        """Middleware: listen for cancellations beside the SDK, which ends the handler."""
        if ctx.method == "notifications/cancelled" and ctx.params is not None:
            self.cancelled(
                str(ctx.params.get("requestId")), reason=str(ctx.params.get("reason") or "")
            )
        return await call_next(ctx)

    def _cancel(self, request: str, dispatch: DispatchId) -> None:
        self._bench.history.request_cancel(
            dispatch, at=self._bench.stamp(), reason="the user cancelled the call"
        )
        self.end(request)
