"""A stand-in for the host that refreshes Kimi's login: each refresh token is good for one use."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs

LIFETIME_S = 900
PATIENCE_S = 30


class OauthHost:
    """Serves `POST /api/oauth/token` on loopback, as Kimi Code 2.1.0 asks it."""

    def __init__(self) -> None:
        self.good = "refresh-0"
        """The refresh token that is accepted next."""
        self.granted = 0
        self.refused = 0
        self.may_answer = threading.Event()
        """Set it, and what was asked is answered."""
        self._lock = threading.Lock()
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                form = parse_qs(self.rfile.read(length).decode())
                status, answer = host.refresh(form["refresh_token"][0])
                body = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def refresh(self, token: str) -> tuple[int, dict[str, object]]:
        """Exchange a refresh token; a second use of the same one is refused."""
        self.may_answer.wait(timeout=PATIENCE_S)
        with self._lock:
            if token != self.good:
                self.refused += 1
                return 401, {"error": "invalid_grant"}
            self.granted += 1
            self.good = f"refresh-{self.granted}"
            return 200, {
                "access_token": f"access-{self.granted}",
                "refresh_token": self.good,
                "expires_in": LIFETIME_S,
                "token_type": "Bearer",
            }

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
