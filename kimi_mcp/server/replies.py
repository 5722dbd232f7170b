"""From what a use case says, or refuses, to what the model receives.

Text only: with structured content Claude Code 2.1 would drop the text. A refusal keeps its own
words; what is not one of ours passes on, and the SDK withholds its text.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import anyio
from mcp.types import CallToolResult, TextContent

from kimi_mcp.errors import KimiMcpError


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A tool's answer. *is_error*: this very call ran the work and nothing was delivered."""

    text: str
    is_error: bool = False


async def replying(work: Awaitable[Reply]) -> CallToolResult:
    """Wait for a use case and turn its end into a tool result."""
    try:
        reply = await work
    except KimiMcpError as refusal:
        reply = Reply(text=str(refusal), is_error=True)
    return CallToolResult(
        content=[TextContent(type="text", text=reply.text)], is_error=reply.is_error
    )


async def in_thread(work: Callable[..., str], *arguments: object) -> Reply:
    """Do a use case that blocks in a worker thread; its text is the reply."""
    return Reply(text=await anyio.to_thread.run_sync(partial(work, *arguments)))
