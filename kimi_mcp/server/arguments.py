"""What a model is told about arguments that do not fit a tool: which one, and what would fit.

The SDK would answer in the words of a validation library, web address included, and would pass over
a name that it does not know: a misspelt `dispatch` showed another dispatch than the one meant.
"""

from typing import Any, cast

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import CallToolResult, InputRequiredResult, Tool
from pydantic import ValidationError

from kimi_mcp.errors import nearest_sentence
from kimi_mcp.reading import shown
from kimi_mcp.server.fitness import flaws

SHOWN_CHARS = 60
SHOWN_FLAWS = 5


class ExactServer(MCPServer[None]):
    """A server whose tools take the arguments that they name, and no others."""

    async def list_tools(self) -> list[Tool]:
        """List the tools, described in no more words than a model needs."""
        return [
            tool.model_copy(update={"input_schema": _plain(tool.input_schema)})
            for tool in await super().list_tools()
        ]

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[None, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """Call a tool.

        Raises:
            ToolError: an argument is unknown or does not fit; the text says which and what would.
        """
        known = [
            argument
            for tool in await self.list_tools()
            if tool.name == name
            for argument in tool.input_schema.get("properties", {})
        ]
        for strange in [argument for argument in arguments if known and argument not in known]:
            raise ToolError(
                f"{name} has no argument {shown(strange)!r}.{nearest_sentence(strange, known)}"
            )
        if unfit := flaws(arguments):
            raise ToolError(f"{name} cannot use these arguments. {'; '.join(unfit[:SHOWN_FLAWS])}.")
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            if isinstance(error.__cause__, ValidationError):
                raise ToolError(_misfits(name, error.__cause__)) from error.__cause__
            raise


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """Leave out what every session would pay for and no model needs.

    That is each text named `title` (an argument of that name is a schema, not a text), and that
    what may be left out may also be null.
    """
    plain = {
        key: _plain(cast("dict[str, Any]", value)) if isinstance(value, dict) else value
        for key, value in schema.items()
        if key != "title" or isinstance(value, dict)
    }
    match plain:
        case {"anyOf": [kind, {"type": "null"}], "default": None, **others}:
            return {**others, **_plain(cast("dict[str, Any]", kind))}
        case _:
            return plain


def _misfits(name: str, error: ValidationError) -> str:
    found = [
        f"{'.'.join(map(str, misfit['loc']))}: {misfit['msg']}{_given(misfit['input'])}"
        for misfit in error.errors(include_url=False)
    ]
    return f"{name} cannot use these arguments. {'; '.join(found[:SHOWN_FLAWS])}."


def _given(value: object) -> str:
    """Repeat a value that is one; a whole object would only be noise."""
    if isinstance(value, dict | list):
        return ""
    return f", not {value!r}" if len(repr(value)) <= SHOWN_CHARS else ""
