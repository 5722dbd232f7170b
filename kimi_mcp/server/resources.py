"""The resources: history, specs and profiles by URI. Translation only, like the tools.

Use cases are imported when first called, for the same reason.
"""

from collections.abc import Callable

import anyio
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ResourceNotFoundError

from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import Refused
from kimi_mcp.history.ids import dispatch_id
from kimi_mcp.reading import shown
from kimi_mcp.review.view import View

MARKDOWN = "text/markdown"
LONGEST_NUMBER = 9


class Resources:
    """The resources of one server."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def register(self, server: MCPServer[None]) -> None:
        """Offer the resources."""
        task = "kimi://dispatches/{id}/tasks/{n}"
        for uri, title, read in (
            ("kimi://dispatches", "Dispatches, newest first", self.dispatches),
            ("kimi://dispatches/before/{id}", "Older dispatches", self.older),
            ("kimi://dispatches/{id}", "One dispatch", self.dispatch),
            (f"{task}/diff", "A task's diff", self.diff),
            (f"{task}/transcript", "A task's steps in order", self.transcript),
            ("kimi://specs/{number}", "A spec", self.spec),
            ("kimi://profiles", "Kimi profiles", self.profiles),
            ("kimi://quota", "Steps used, and what is left", self.quota),
        ):
            server.resource(uri, name=title, title=title, mime_type=MARKDOWN)(read)

    async def dispatches(self) -> str:
        """List the newest dispatches."""
        from kimi_mcp.review.listing import dispatch_table

        return await self._read(dispatch_table)

    async def older(self, id: str) -> str:
        """List the dispatches before one."""
        from kimi_mcp.review.listing import dispatch_table

        return await self._read(lambda bench: dispatch_table(bench, before=dispatch_id(id)))

    async def dispatch(self, id: str) -> str:
        """Tell one dispatch whole."""
        from kimi_mcp.review.listing import dispatch_page

        return await self._read(lambda bench: dispatch_page(bench, dispatch_id(id)))

    async def diff(self, id: str, n: str) -> str:
        """Show what a task changed."""
        return await self._show(id, n, View.DIFF)

    async def transcript(self, id: str, n: str) -> str:
        """Show a task's steps."""
        return await self._show(id, n, View.TRANSCRIPT)

    async def spec(self, number: str) -> str:
        """Show a spec of the project's repository."""
        from kimi_mcp.dispatch.planning.specs import spec_text

        return await self._read(lambda bench: spec_text(bench, number))

    async def profiles(self) -> str:
        """List the profiles."""
        from kimi_mcp.dispatch.switching import list_profiles

        return await self._read(list_profiles)

    async def quota(self) -> str:
        """Tell what was spent of the quota, and what is known to be left."""
        from kimi_mcp.review.quota_page import quota_page

        return await self._read(quota_page)

    async def _show(self, dispatch: str, task: str, view: View) -> str:
        from kimi_mcp.review.showing import show

        return await self._read(
            lambda bench: show(bench, dispatch_id(dispatch), view=view, task=_number(task))
        )

    async def _read(self, read: Callable[[Workbench], str]) -> str:
        """Read in a worker thread; what is refused does not exist, for a resource."""
        try:
            return await anyio.to_thread.run_sync(read, self._bench)
        except Refused as refusal:
            raise ResourceNotFoundError(str(refusal)) from refusal


def _number(task: str) -> int:
    if not task.isdecimal() or len(task) > LONGEST_NUMBER:
        raise Refused(f"A task is named by its number, not by {shown(task)!r}.")
    return int(task)
