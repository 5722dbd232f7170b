"""A script for a model: the replies it gives, and which one a conversation gets next.

Pure: no socket and no clock; `scripted_model` serves what is decided here. The surprising fact: no
request is counted. The place in a script is the number of assistant messages since its marker was
said, so a retried request gets the same reply and parallel agents do not disturb each other.
"""

import json
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, cast

MODEL_ID = "scripted-model"


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call; *arguments* given as text are sent as they are, to try malformed ones."""

    name: str
    arguments: Mapping[str, object] | str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer of the model: words, tool calls, or one of the ways in which a provider fails."""

    text: str = ""
    calls: tuple[Call, ...] = ()
    think: str = ""
    finish: str | None = None
    """Instead of the fitting `finish_reason`."""
    status: int | None = None
    """An HTTP error instead of an answer, with *body* as its JSON."""
    body: Mapping[str, object] = field(default_factory=dict[str, object])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    raw: str | None = None
    """This text with status 200 instead of a stream."""
    drop: bool = False
    """The connection is cut after the text."""
    hang: Literal["headers", "stream"] | None = None
    """Nothing is answered, or nothing after the text, until the client goes away."""
    delay_s: float = 0
    wait_for: threading.Event | None = None
    """Nothing is answered until somebody sets this."""


def say(text: str) -> Reply:
    """Answer with words only: Kimi ends its turn."""
    return Reply(text=text)


def call(name: str, **arguments: object) -> Reply:
    """Call one tool of Kimi's, for example `call("Glob", pattern="*.py")`."""
    return Reply(calls=(Call(name, arguments),))


def read(path: str) -> Reply:
    """Let Kimi read a file."""
    return call("Read", path=path)


def write(path: str, content: str) -> Reply:
    """Let Kimi write a whole file."""
    return call("Write", path=path, content=content)


def edit(path: str, old: str, new: str) -> Reply:
    """Let Kimi replace *old*, which must occur once, by *new*."""
    return call("Edit", path=path, old_string=old, new_string=new)


def bash(command: str, *, timeout_s: int | None = None) -> Reply:
    """Let Kimi run a shell command."""
    limit = {} if timeout_s is None else {"timeout": timeout_s}
    return call("Bash", command=command, **limit)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a conversation stands: which script, and which of its replies comes next."""

    marker: str
    index: int


def find_place(messages: Sequence[object], markers: Iterable[str]) -> Place | None:
    """Find the newest user message with a marker in it, and count the replies given since.

    Of several markers in one message the longest counts. The marker "" stands for every
    conversation without one, counted from its beginning.
    """
    known = sorted(markers, key=len, reverse=True)
    replies = 0
    for message in reversed(messages):
        role, text = _said(message)
        if role == "assistant":
            replies += 1
        elif role == "user":
            for marker in known:
                if marker and marker in text:
                    return Place(marker, replies)
    return Place("", replies) if "" in known else None


class Frames(NamedTuple):
    """A streamed answer, cut where a provider that fails would stop."""

    first: bytes
    rest: bytes


def stream(reply: Reply, *, answers: int, prompt_bytes: int) -> Frames:
    """Write *reply* as server-sent events.

    Args:
        reply: what is said.
        answers: the number of messages before it; makes the ids of tool calls unique.
        prompt_bytes: the size of the request, from which the token numbers are made.
    """
    first: list[object] = [_chunk({"role": "assistant", "content": ""})]
    if reply.think:
        first.append(_chunk({"reasoning_content": reply.think}))
    if reply.text:
        first.append(_chunk({"content": reply.text}))
    rest: list[object] = [
        _chunk({"tool_calls": [_tool_call(one, number=number, answers=answers)]})
        for number, one in enumerate(reply.calls)
    ]
    rest.append(_chunk({}, finish=reply.finish or ("tool_calls" if reply.calls else "stop")))
    rest.append(_envelope([]) | {"usage": _usage(reply, prompt_bytes)})
    return Frames(_events(first), _events(rest) + b"data: [DONE]\n\n")


def _said(message: object) -> tuple[str, str]:
    """Take role and text out of a message, whose content is a string or a list of parts."""
    if not isinstance(message, dict):
        return "", ""
    fields = cast("dict[str, object]", message)
    content = fields.get("content")
    parts = cast("list[object]", content) if isinstance(content, list) else [content]
    texts = [
        str(cast("dict[str, object]", part).get("text", "")) if isinstance(part, dict) else part
        for part in parts
    ]
    return str(fields.get("role")), "\n".join(text for text in texts if isinstance(text, str))


def _tool_call(one: Call, *, number: int, answers: int) -> dict[str, object]:
    sent = one.arguments if isinstance(one.arguments, str) else json.dumps(one.arguments)
    return {
        "index": number,
        "id": f"call_{answers}_{number}",
        "type": "function",
        "function": {"name": one.name, "arguments": sent},
    }


def _usage(reply: Reply, prompt_bytes: int) -> dict[str, object]:
    """Make up token numbers, four bytes a token, half of the prompt from the cache."""
    asked = prompt_bytes // 4
    said = (len(reply.text) + len(reply.think) + len(repr(reply.calls))) // 4
    return {
        "prompt_tokens": asked,
        "completion_tokens": said,
        "total_tokens": asked + said,
        "cached_tokens": asked // 2,
        "prompt_tokens_details": {"cached_tokens": asked // 2},
    }


def _chunk(delta: dict[str, object], *, finish: str | None = None) -> dict[str, object]:
    return _envelope([{"index": 0, "delta": delta, "finish_reason": finish}])


def _envelope(choices: list[object]) -> dict[str, object]:
    return {
        "id": "chatcmpl-scripted",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": MODEL_ID,
        "choices": choices,
    }


def _events(chunks: list[object]) -> bytes:
    return "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks).encode()
