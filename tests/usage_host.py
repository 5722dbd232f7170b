"""A stand-in on loopback for the server that tells an account's usage."""

import json
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from patience import PATIENCE_S

GOOD = {"usages": {"limit_5h": {"used_ratio": 0.1}, "limit_7d": {"used_ratio": 0.5}}}


@dataclass
class Host:
    """What the stand-in answers, and what it was asked."""

    status: int = 200
    body: str = json.dumps(GOOD)
    headers: dict[str, str] = field(default_factory=dict[str, str])
    is_silent: bool = False
    is_rude: bool = False
    asked: list[tuple[str, str | None]] = field(default_factory=list[tuple[str, str | None]])
    url: str = ""
    over: threading.Event = field(default_factory=threading.Event)

    def let_kimi_pay(self) -> None:
        """Make an account here the one that the user's Kimi pays with."""
        home = Path(os.environ["KIMI_CODE_HOME"])
        home.mkdir()
        (home / "config.toml").write_text(
            f'default_model = "m"\n[models.m]\nprovider = "p"\n'
            f'[providers.p]\nbase_url = "{self.url}"\napi_key = "sk-kimi-secret"\n',
            encoding="utf-8",
        )


@contextmanager
def usage_host() -> Generator[Host]:
    """Serve what the yielded value says."""
    told = Host()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.asked.append((self.path, self.headers.get("Authorization")))
            if told.is_silent:
                told.over.wait(PATIENCE_S)
                return
            if told.is_rude:
                self.connection.close()
                return
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(told.body.encode())))
            self.end_headers()
            self.wfile.write(told.body.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A connection that a test has broken is no news."""

    server = Server(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_port}/coding/v1"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield told
    told.over.set()
    server.shutdown()
    server.server_close()
