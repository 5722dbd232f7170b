"""A client's end of a server over stdio, in raw JSON-RPC lines.

No SDK: its own import and its tasks would be part of what is measured. Speaks as Claude Code does,
`server/discover` first, with the envelope of 2026-07-28 in every request.
"""

import json
import subprocess
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

BOUND_S = 120.0  # for one answer; then the server is killed, and the answer is its end

_ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


@dataclass(frozen=True, slots=True)
class Heard:
    """A line of progress, and when it was read from the pipe (Unix time, nanoseconds)."""

    message: str
    at_ns: int


class Wire:
    """One connection; the answers are read in the caller's thread."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._asked = 0
        self.heard: list[Heard] = []

    @property
    def pid(self) -> int:
        """The server's process."""
        return self._process.pid

    def tools(self) -> None:
        """Open the connection and list the tools."""
        self.ask("server/discover")
        self.ask("tools/list")

    def call(self, tool: str, **arguments: object) -> str:
        """Call *tool* with progress wanted, and return its text; `heard` holds the progress."""
        self.heard.clear()
        result = self.ask(
            "tools/call", {"name": tool, "arguments": arguments}, {"progressToken": "bench"}
        )
        return "\n".join(part["text"] for part in result["content"])

    def ask(
        self,
        method: str,
        params: Mapping[str, object] | None = None,
        meta: Mapping[str, object] | None = None,
    ) -> dict[str, Any]:
        """Send one request and return its result.

        Raises:
            RuntimeError: the server answers with an error, or ends.
        """
        self._asked += 1
        envelope = {"_meta": {**_ENVELOPE, **(meta or {})}}
        request = {
            "jsonrpc": "2.0",
            "id": self._asked,
            "method": method,
            "params": {**(params or {}), **envelope},
        }
        stdin = cast("IO[bytes]", self._process.stdin)
        watchdog = threading.Timer(BOUND_S, self._process.kill)
        watchdog.start()
        try:
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.flush()
            return self._answer(self._asked)
        finally:
            watchdog.cancel()

    def _answer(self, asked: int) -> dict[str, Any]:
        stdout = cast("IO[bytes]", self._process.stdout)
        for line in stdout:
            at_ns = time.time_ns()
            said: dict[str, Any] = json.loads(line)
            if said.get("id") == asked:
                if "result" not in said:
                    raise RuntimeError(f"the server answers: {said.get('error')}")
                return said["result"]
            if said.get("method") == "notifications/progress":
                self.heard.append(Heard(str(said["params"].get("message")), at_ns))
        raise RuntimeError("the server has ended")


@contextmanager
def connected(argv: Sequence[str], *, cwd: Path) -> Generator[Wire]:
    """Start a server and hang up at the end, which ends it."""
    with subprocess.Popen(
        argv, cwd=cwd, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        yield Wire(process)
