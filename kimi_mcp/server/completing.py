"""Completing what a person types: ids of dispatches, numbers of tasks and specs."""

import anyio
from mcp.server import MCPServer
from mcp.types import (
    Completion,
    CompletionArgument,
    CompletionContext,
    PromptReference,
    ResourceTemplateReference,
)

from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import Refused
from kimi_mcp.history.ids import dispatch_id

MOST = 100  # as the protocol allows


class Completing:
    """The completions of one server."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench

    def register(self, server: MCPServer[None]) -> None:
        """Offer the completions."""
        server.completion()(self.complete)

    async def complete(
        self,
        ref: PromptReference | ResourceTemplateReference,
        argument: CompletionArgument,
        context: CompletionContext | None,
    ) -> Completion:
        """Complete an argument of a prompt or of an address; what is unknown has no completion."""
        del ref  # an argument of one name means the same everywhere
        chosen = (context and context.arguments) or {}
        try:
            found = await anyio.to_thread.run_sync(self._found, argument, chosen)
        except Refused:
            found = ()
        return Completion(values=[*found[:MOST]], total=None, has_more=len(found) > MOST)

    def _found(self, argument: CompletionArgument, chosen: dict[str, str]) -> tuple[str, ...]:
        match argument.name:
            case "id" | "dispatch":
                return self._bench.history.ids_like(argument.value, limit=MOST + 1)
            case "n":
                tasks = self._bench.history.tasks(dispatch_id(chosen.get("id", "")))
                numbers = tuple(str(task.number) for task in tasks)
            case "number":
                from kimi_mcp.dispatch.planning.specs import spec_numbers

                numbers = spec_numbers(self._bench)
            case _:
                numbers = ()
        return tuple(number for number in numbers if number.startswith(argument.value))
