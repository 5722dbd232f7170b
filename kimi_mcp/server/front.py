"""The SDK's server, with what it lacks for us.

It lists resources that come and go, tells clients of the handshake era about them (the SDK 2.3
serves neither `list_changed` nor `resources/subscribe` to them), and turns a bug of ours into a
sentence with a file to send, where the SDK would say no more than the tool's name.
"""

from contextlib import suppress
from typing import Any

import anyio
from mcp.server.lowlevel.server import NotificationOptions
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.server.stdio import stdio_server
from mcp.types import (
    CallToolResult,
    InputRequiredResult,
    Resource,
    SubscribeRequestParams,
    TextContent,
    UnsubscribeRequestParams,
)

from kimi_mcp import log
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import StoreUnusable
from kimi_mcp.server.arguments import ExactServer
from kimi_mcp.server.ending import end_with_the_client
from kimi_mcp.server.news import News
from kimi_mcp.server.resources import MARKDOWN


class Front(ExactServer):
    """The server of one client."""

    def __init__(self, *arguments: Any, bench: Workbench, news: News, **options: Any) -> None:
        options["middleware"] = [*options.get("middleware", ()), news.watch]
        super().__init__(*arguments, subscriptions=news.bus, **options)
        self._bench = bench
        low = self._lowlevel_server
        low.add_request_handler("resources/subscribe", SubscribeRequestParams, news.subscribe)
        low.add_request_handler("resources/unsubscribe", UnsubscribeRequestParams, news.unsubscribe)

    async def list_resources(self) -> list[Resource]:
        """List what is always there, then the live and the newest dispatches."""
        from kimi_mcp.review.addresses import listed

        fixed = await super().list_resources()
        found = await anyio.to_thread.run_sync(listed, self._bench)
        return fixed + [
            Resource(uri=one.uri, name=one.title, title=one.title, mime_type=MARKDOWN)
            for one in found
        ]

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[None, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool.

        Raises:
            ToolError: the arguments do not fit, or a bug of ours; the text says what now.
        """
        try:
            result = await super().call_tool(name, arguments, context)
        except UnexpectedToolError as error:
            bug = error.__cause__ or error
            file = await anyio.to_thread.run_sync(log.keep_bug, self._bench.state.root, bug)
            raise ToolError(
                f"{name} met an internal error, a bug of ours; see the log at {file}. "
                "The server goes on, and so does every dispatch."
            ) from error
        if isinstance(result, CallToolResult):
            await anyio.to_thread.run_sync(self._count, name, result)
        return result

    def _count(self, tool: str, result: CallToolResult) -> None:
        """Keep how long the reply was: what it costs the orchestrator is shown beside the steps."""
        chars = sum(len(part.text) for part in result.content if isinstance(part, TextContent))
        with suppress(StoreUnusable):
            self._bench.history.note_reply(tool, chars, at=self._bench.stamp())

    async def run_stdio_async(self) -> None:
        """Serve over stdin and stdout; in the handshake era too it says that lists change."""
        low = self._lowlevel_server
        changing = NotificationOptions(resources_changed=True)
        async with stdio_server() as (incoming, outgoing), anyio.create_task_group() as group:
            group.start_soon(end_with_the_client)
            await low.run(incoming, outgoing, low.create_initialization_options(changing))
            group.cancel_scope.cancel()
