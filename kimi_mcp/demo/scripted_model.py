"""A model that answers the real Kimi Code CLI from a script, on loopback if nobody wants more.

Used by the demo, the tests and the benchmarks: no account, no network, no delay, and nothing but
the standard library. Speaks the chat-completions dialect with server-sent events, the one Kimi's
provider type `kimi` uses. The surprising fact: every answer closes its connection, so that a model
can be closed at any moment without a thread or a socket left over.
"""

import contextlib
import json
import select
import socket
import sys
import threading
import time
import traceback
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Self, cast

from kimi_mcp.demo.script import MODEL_ID, Place, Reply, find_place, stream

_LOOK_S = 0.02  # how often a held answer looks whether its client is still there
_SECRET_HEADERS = frozenset({"authorization", "cookie", "x-api-key", "api-key"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request as it came: the parsed body, and the place in the scripts that answered it."""

    place: Place | None
    body: Mapping[str, object]
    headers: Mapping[str, str]


class ScriptedModel:
    """Serves *scripts* between `with` and its end; a script's key is the marker that chooses it.

    It listens at *host*, by default for this machine alone.
    """

    def __init__(self, scripts: Mapping[str, Sequence[Reply]], *, host: str = "127.0.0.1") -> None:
        self._server = _Server(scripts, host)
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": _LOOK_S},
            name="scripted-model",
            daemon=True,
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()
        self._thread.join()

    @property
    def base_url(self) -> str:
        """What Kimi's provider is configured with."""
        host, port = self._server.server_address[:2]
        return f"http://{host}:{port}/v1"

    @property
    def requests(self) -> Sequence[Request]:
        """The requests so far, oldest first, credentials left out."""
        with self._server.lock:
            return tuple(self._server.requests)

    def reached(self, marker: str, index: int = 0) -> threading.Event:
        """Give the event that is set once reply *index* of a script has been asked for."""
        with self._server.lock:
            return self._server.asked[Place(marker, index)]


def kimi_config(model: ScriptedModel) -> str:
    """Write the `config.toml` of a Kimi Code whose only provider is *model*."""
    return f"""\
default_model = "scripted"

[providers.scripted]
type = "kimi"
base_url = "{model.base_url}"
api_key = "sk-scripted"

[models.scripted]
provider = "scripted"
model = "{MODEL_ID}"
max_context_size = 262144
"""


class _ClientGoneError(ConnectionError):
    """The client hung up, or the model is being closed, while an answer was held back."""


class _Server(ThreadingTCPServer):  # an HTTPServer would look its own name up in DNS
    request_queue_size = 128

    def __init__(self, scripts: Mapping[str, Sequence[Reply]], host: str) -> None:
        super().__init__((host, 0), _Handler)
        self.scripts = scripts
        self.lock = threading.Lock()
        self.closing = threading.Event()
        self.requests: list[Request] = []
        self.asked: defaultdict[Place, threading.Event] = defaultdict(threading.Event)
        self.open: set[socket.socket] = set()

    def record(self, request: Request) -> None:
        with self.lock:
            self.requests.append(request)
            if request.place:
                self.asked[request.place].set()

    def close(self) -> None:
        self.closing.set()
        self.shutdown()
        with self.lock:
            for connection in self.open:
                _hang_up(connection)
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - inherited
        """Let clients go away without a word; our own mistakes go to stderr as usual."""
        if not isinstance(sys.exception(), OSError):
            traceback.print_exc()


class _Handler(BaseHTTPRequestHandler):
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride] - set by _Server alone
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        with self.server.lock:
            self.server.open.add(self.connection)
            if self.server.closing.is_set():
                _hang_up(self.connection)

    def finish(self) -> None:
        with self.server.lock:
            self.server.open.discard(self.connection)
        super().finish()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - inherited
        """Say nothing: stderr may be somebody's protocol."""

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = cast("dict[str, object]", json.loads(raw))
        messages = cast("list[object]", body.get("messages", []))
        place = find_place(messages, self.server.scripts)
        kept = {k: v for k, v in self.headers.items() if k.lower() not in _SECRET_HEADERS}
        self.server.record(Request(place=place, body=body, headers=kept))
        if place is None:
            self._answer_error(400, _problem("no marker of a script occurs in a user message"), {})
            return
        script = self.server.scripts[place.marker]
        reply = script[min(place.index, len(script) - 1)]
        self._hold(reply)
        if reply.status is not None:
            self._answer_error(reply.status, reply.body, reply.headers)
        elif reply.raw is not None:
            self._answer(200, "text/html", reply.raw.encode(), reply.headers)
        else:
            self._stream(reply, answers=len(messages), prompt_bytes=len(raw))

    def do_GET(self) -> None:
        self._answer_error(404, _problem(f"nothing at {self.path}"), {})

    def _stream(self, reply: Reply, *, answers: int, prompt_bytes: int) -> None:
        frames = stream(reply, answers=answers, prompt_bytes=prompt_bytes)
        self._begin(200, "text/event-stream", reply.headers)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if reply.hang or reply.drop:
            self.wfile.write(_chunked(frames.first))
            if reply.hang:
                self._wait(threading.Event(), timeout_s=None)
            return
        self.wfile.write(_chunked(frames.first + frames.rest) + b"0\r\n\r\n")

    def _hold(self, reply: Reply) -> None:
        """Keep the client waiting as long as *reply* says."""
        if reply.wait_for:
            self._wait(reply.wait_for, timeout_s=None)
        if reply.delay_s:
            self._wait(threading.Event(), timeout_s=reply.delay_s)
        if reply.hang == "headers":
            self._wait(threading.Event(), timeout_s=None)

    def _wait(self, event: threading.Event, *, timeout_s: float | None) -> None:
        ends_at = None if timeout_s is None else time.monotonic() + timeout_s
        while not event.wait(_LOOK_S):
            if ends_at is not None and time.monotonic() >= ends_at:
                return
            if self.server.closing.is_set() or _is_gone(self.connection):
                raise _ClientGoneError

    def _answer_error(
        self, status: int, body: Mapping[str, object], headers: Mapping[str, str]
    ) -> None:
        self._answer(status, "application/json", json.dumps(body).encode(), headers)

    def _answer(
        self, status: int, content_type: str, content: bytes, headers: Mapping[str, str]
    ) -> None:
        self._begin(status, content_type, headers)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _begin(self, status: int, content_type: str, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": content_type, "Connection": "close", **headers}.items():
            self.send_header(name, value)


def _problem(message: str) -> Mapping[str, object]:
    return {"error": {"message": f"scripted model: {message}", "type": "invalid_request_error"}}


def _chunked(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def _is_gone(connection: socket.socket) -> bool:
    readable, _, _ = select.select([connection], [], [], 0)
    return bool(readable) and not connection.recv(1, socket.MSG_PEEK)


def _hang_up(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the client was faster
        connection.shutdown(socket.SHUT_RDWR)
