"""A Messages API whose answers are scripted, so that the real Claude Code runs without an account.

Nothing is judged here: a script says what the model says and which tools it calls, and every
request is kept, for a test to see what the model was shown. A conversation is known by a word in
its messages, so that a subagent has a script of its own; the script "" serves all others.
"""

import json
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self, cast

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Turn:
    """One answer of the model: words, and the tools that it calls."""

    text: str = ""
    tool: str | None = None
    arguments: Mapping[str, object] | Callable[[str], Mapping[str, object]] = field(
        default_factory=dict[str, object]
    )


def say(text: str) -> Turn:
    """End the model's turn with words."""
    return Turn(text=text)


def use(
    tool: str, arguments: Callable[[str], Mapping[str, object]] | None = None, /, **named: object
) -> Turn:
    """Call one tool; *arguments* makes its input of all that the model has been shown."""
    return Turn(tool=tool, arguments=arguments or named)


@dataclass(frozen=True, slots=True)
class Request:
    """What the model was asked once."""

    body: Json
    reply: Turn

    @property
    def shown(self) -> str:
        """All that the model sees, the system text included."""
        messages = cast("list[Json]", self.body["messages"])
        return "\n".join([_flat(self.body.get("system")), *(_flat(m["content"]) for m in messages)])

    @property
    def news(self) -> str:
        """What came since the model's last answer."""
        messages = cast("list[Json]", self.body["messages"])
        last = max((n for n, m in enumerate(messages) if m["role"] == "assistant"), default=-1)
        return "\n".join(_flat(message["content"]) for message in messages[last + 1 :])


class ScriptedClaude:
    """The API, on a port of its own, as long as the context lasts."""

    def __init__(self, scripts: Mapping[str, Sequence[Turn]]) -> None:
        self.requests: list[Request] = []
        self._left = {word: list(turns) for word, turns in scripts.items()}
        self._lock = threading.Lock()
        handler = type("Handler", (_Handler,), {"model": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True

    @property
    def url(self) -> str:
        """Where Claude Code finds it."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def was_shown(self, words: str) -> bool:
        """Tell whether the model was shown *words* as something new."""
        return any(words in request.news for request in self.requests)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, body: Json) -> list[Json]:
        """Return the content of the answer to a request."""
        if not body.get("tools") or _format_of(body):
            return [{"type": "text", "text": _side_answer(_format_of(body))}]
        with self._lock:
            shown = Request(body, Turn()).shown
            word = max((one for one in self._left if one in shown), key=len)
            turns = self._left[word]
            turn = turns.pop(0) if turns else say("Nothing more to do.")
            self.requests.append(Request(body, turn))
        made: list[Json] = [{"type": "text", "text": turn.text}] if turn.text else []
        if turn.tool is not None:
            given = turn.arguments(shown) if callable(turn.arguments) else turn.arguments
            made.append(
                {
                    "type": "tool_use",
                    "id": f"toolu_{uuid.uuid4().hex[:20]}",
                    "name": turn.tool,
                    "input": dict(given),
                }
            )
        return made


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model: ScriptedClaude

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def do_HEAD(self) -> None:
        self._send(b"")

    def do_GET(self) -> None:
        self._send(b'{"data": [], "has_more": false}')

    def do_POST(self) -> None:
        body: Json = json.loads(self.rfile.read(int(self.headers["Content-Length"] or 0)) or b"{}")
        if self.path.split("?")[0].endswith("/count_tokens"):
            self._send(b'{"input_tokens": 1000}')
        elif not self.path.split("?")[0].endswith("/messages"):
            self._send(b"{}")
        else:
            content = self.model.answer(body)
            is_tool = any(block["type"] == "tool_use" for block in content)
            message: Json = {
                "id": f"msg_{uuid.uuid4().hex[:20]}",
                "type": "message",
                "role": "assistant",
                "model": body.get("model", "scripted"),
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": {"input_tokens": 100, "output_tokens": 20},
            }
            ended = {"stop_reason": "tool_use" if is_tool else "end_turn", "stop_sequence": None}
            if body.get("stream"):
                self._send(b"".join(_events(message, content, ended)), kind="text/event-stream")
            else:
                self._send(json.dumps({**message, **ended, "content": content}).encode())

    def _send(self, data: bytes, *, kind: str = "application/json") -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)


def _events(message: Json, content: list[Json], ended: Json) -> Iterator[bytes]:
    yield _event("message_start", message=message)
    for index, block in enumerate(content):
        if block["type"] == "text":
            begun: Json = {**block, "text": ""}
            delta: Json = {"type": "text_delta", "text": block["text"]}
        else:
            begun = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        yield _event("content_block_start", index=index, content_block=begun)
        yield _event("content_block_delta", index=index, delta=delta)
        yield _event("content_block_stop", index=index)
    yield _event("message_delta", delta=ended, usage={"output_tokens": 20})
    yield _event("message_stop")


def _event(kind: str, **fields: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def _format_of(body: Json) -> Json:
    config: Json = body.get("output_config") or {}
    return config.get("format") or body.get("output_format") or {}


def _side_answer(wanted: Json) -> str:
    """Answer what Claude Code asks beside the conversation: a title, a summary."""
    properties: Json = wanted.get("schema", {}).get("properties", {})
    if not properties:
        return "ok"
    plain: Json = {"boolean": False, "integer": 0, "number": 0, "array": [], "object": {}}
    return json.dumps(
        {
            name: (one.get("enum") or [plain.get(one.get("type"), "words")])[0]
            for name, one in properties.items()
        }
    )


def _flat(content: object) -> str:
    """Return the texts of a message's content, those of tool results included."""
    if isinstance(content, str):
        return content
    texts: list[str] = []
    for block in cast("list[Json]", content or []):
        if block.get("type") == "text":
            texts.append(block["text"])
        elif block.get("type") == "tool_result":
            texts.append(_flat(block.get("content")))
    return "\n".join(texts)
