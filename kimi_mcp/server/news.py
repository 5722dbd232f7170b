"""Telling the client that resources have changed, whichever process changed them.

In the protocol of 2026-07-28 news goes to the streams that the client has asked for, which the SDK
serves from a bus. Clients of the handshake era are told on their connection, of single resources
only after `resources/subscribe`; the SDK 2.3 leaves that to us.
"""

from typing import TYPE_CHECKING

import anyio
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.session import ServerSession
from mcp.server.subscriptions import (
    InMemorySubscriptionBus,
    ResourcesListChanged,
    ResourceUpdated,
)
from mcp.types import EmptyResult, SubscribeRequestParams, UnsubscribeRequestParams

from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.pulse import beat

if TYPE_CHECKING:
    from kimi_mcp.history.follower import Watcher
    from kimi_mcp.review.addresses import Marks

LOOK_S = 1.0
#: What a client asks first, and what no news changes.
GREETINGS = frozenset(
    {
        "server/discover",
        "initialize",
        "notifications/initialized",
        "tools/list",
        "prompts/list",
        "resources/templates/list",
    }
)


class News:
    """The news of one server, for its one client."""

    def __init__(self, bench: Workbench) -> None:
        self.bus = InMemorySubscriptionBus()
        self._bench = bench
        self._session: ServerSession | None = None  # of a client of the handshake era
        self._subscribed: set[str] = set()
        self._is_greeted = anyio.Event()
        self._looking = anyio.Lock()
        self._first_look: tuple[Watcher, Marks] | None = None

    async def publish(self) -> None:
        """Look at the history as long as the server lives, and tell what has changed."""
        await self._is_greeted.wait()  # the first answers need not wait for this
        from kimi_mcp.review import addresses

        watcher, before = await self._look()
        with watcher:
            while True:
                await beat(LOOK_S)
                if watcher.changed():
                    after = await anyio.to_thread.run_sync(addresses.marks, self._bench)
                    await self._tell(before, after)
                    before = after

    async def _look(self) -> "tuple[Watcher, Marks]":
        """Look for the first time: what comes afterwards is news."""
        from kimi_mcp.review import addresses

        async with self._looking:
            if self._first_look is None:
                watcher = await anyio.to_thread.run_sync(self._bench.history.watch)
                watcher.changed()  # before the look, so that nothing falls between the two
                marks = await anyio.to_thread.run_sync(addresses.marks, self._bench)
                self._first_look = watcher, marks
            return self._first_look

    async def watch(
        self, ctx: ServerRequestContext[None, object], call_next: CallNext
    ) -> HandlerResult:
        """Middleware: keep the connection of a client that has shaken hands, and miss no news."""
        if ctx.method == "notifications/initialized":
            self._session = ctx.session
        if ctx.method not in GREETINGS:
            await self._look()  # the answer tells how things stand: what changes then is told
            self._is_greeted.set()
        return await call_next(ctx)

    async def subscribe(
        self, _: ServerRequestContext[None, object], params: SubscribeRequestParams
    ) -> EmptyResult:
        """Tell the client from now on when a resource changes."""
        self._subscribed.add(str(params.uri))
        return EmptyResult()

    async def unsubscribe(
        self, _: ServerRequestContext[None, object], params: UnsubscribeRequestParams
    ) -> EmptyResult:
        """Stop telling the client."""
        self._subscribed.discard(str(params.uri))
        return EmptyResult()

    async def _tell(self, before: "Marks", after: "Marks") -> None:
        from kimi_mcp.review import addresses

        if [(one, state) for one, (state, _) in before.items()] != [
            (one, state) for one, (state, _) in after.items()
        ]:
            await self.bus.publish(ResourcesListChanged())
            if self._session is not None:
                await self._session.send_resource_list_changed()
            await self._updated(addresses.ALL)
        for dispatch in [one for one, mark in after.items() if before.get(one) != mark]:
            tasks = await anyio.to_thread.run_sync(self._bench.history.tasks, dispatch)
            await self._updated(addresses.page_uri(dispatch))
            for task in tasks:
                await self._updated(addresses.diff_uri(dispatch, task.number))
                await self._updated(addresses.transcript_uri(dispatch, task.number))

    async def _updated(self, uri: str) -> None:
        await self.bus.publish(ResourceUpdated(uri=uri))
        if self._session is not None and uri in self._subscribed:
            await self._session.send_resource_updated(uri)
