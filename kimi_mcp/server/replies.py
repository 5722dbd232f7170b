"""From what a use case says, or refuses, to what the model receives.

Text only: with structured content Claude Code 2.1 would drop the text. A refusal keeps its own
words; what is not one of ours passes on, and the SDK withholds its text.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import anyio
from mcp.types import CallToolResult, InputRequiredResult, TextContent

from kimi_mcp.errors import KimiMcpError, SpecInvalid
from kimi_mcp.quoting.envelope import Envelope

ERROR_CHARS = 11_000
_BROKEN = "The spec breaks the format; correct the lines that are named:"


Answer = CallToolResult | InputRequiredResult


class Question(Exception):
    """Raised in a use case: the call is to be answered with a question to the person."""

    def __init__(self, asked: InputRequiredResult) -> None:
        super().__init__("a question to the person")
        self.asked = asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A tool's answer. *is_error*: this very call ran the work and nothing was delivered."""

    text: str
    is_error: bool = False


async def replying(work: Awaitable[Reply]) -> Answer:
    """Wait for a use case and turn its end into a tool result, or into a question."""
    try:
        reply = await work
    except Question as question:
        return question.asked
    except SpecInvalid as refusal:
        reply = Reply(text=f"{_BROKEN}\n{Envelope.fresh().around(str(refusal))}", is_error=True)
    except KimiMcpError as refusal:
        reply = Reply(text=str(refusal), is_error=True)
    return result_of(reply)


def result_of(reply: Reply) -> CallToolResult:
    """Make the tool result of a reply."""
    text = shortened(reply.text) if reply.is_error else reply.text
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=reply.is_error)


def shortened(text: str) -> str:
    """Keep both ends of an error's text that is too long to be read."""
    if len(text) <= ERROR_CHARS:
        return text
    half = (ERROR_CHARS - 100) // 2
    left_out = len(text) - 2 * half
    return f"{text[:half]}\n… {left_out} characters left out …\n{text[-half:]}"


async def in_thread(work: Callable[..., str], *arguments: object) -> Reply:
    """Do a use case that blocks in a worker thread; its text is the reply."""
    return Reply(text=await anyio.to_thread.run_sync(partial(work, *arguments)))
