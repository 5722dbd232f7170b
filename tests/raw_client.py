"""A client that writes the JSON-RPC lines itself, for what no client library lets a test do.

It cancels with a reason of its choice, closes stdin in the middle of a call, kills the server, and
sees every line that the server writes.
"""

import json
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Literal, cast

import anyio
import psutil
from anyio.abc import ByteReceiveStream, ByteSendStream, Process
from anyio.streams.buffered import BufferedByteReceiveStream

from sandbox import Sandbox

Era = Literal["modern", "legacy"]
Message = dict[str, Any]

LONGEST_LINE_BYTES = 1_000_000
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "claude-code", "version": "2.1.330"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
TAKES_TASKS: Message = {"extensions": {"io.modelcontextprotocol/tasks": {}}}
HANDSHAKE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "claude-code", "version": "2.1.330"},
}


class RawClient:
    """One connection. Made by `raw_server` only."""

    def __init__(self, process: Process, *, era: Era) -> None:
        self.pid = process.pid
        self.heard: list[Message] = []
        self._process = process
        self._era = era
        self._stdin = cast("ByteSendStream", process.stdin)
        self._lines = BufferedByteReceiveStream(cast("ByteReceiveStream", process.stdout))
        self._requests = 0
        self.capabilities: Message = {}
        """What each request declares from now on."""

    def request(self, method: str, /, **params: object) -> Message:
        """Compose a request; nothing is sent."""
        self._requests += 1
        meta: Message = {"progressToken": self._requests}
        if self._era == "modern":
            meta |= self._envelope()
        return {
            "jsonrpc": "2.0",
            "id": self._requests,
            "method": method,
            "params": {**params, "_meta": meta},
        }

    def tool_call(self, name: str, /, **arguments: object) -> Message:
        """Compose a call of a tool; nothing is sent."""
        return self.request("tools/call", name=name, arguments=arguments)

    def cancellation(self, request: Message, *, reason: str) -> Message:
        """Compose the notification that ends *request*; nothing is sent."""
        params: Message = {"requestId": request["id"], "reason": reason}
        if self._era == "modern":
            params["_meta"] = self._envelope()
        return {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}

    async def send(self, *messages: Message) -> None:
        """Send all of *messages* in one write."""
        await self._stdin.send(b"".join(json.dumps(one).encode() + b"\n" for one in messages))

    async def answer(self, request: Message) -> Message:
        """Read until *request* is answered; return its result or its error."""
        while True:
            message = await self.next_message()
            if message.get("id") == request["id"]:
                return message["result"] if "result" in message else message["error"]

    async def ask(self, request: Message) -> Message:
        """Send *request* and wait for its answer."""
        await self.send(request)
        return await self.answer(request)

    async def tool_text(self, name: str, /, **arguments: object) -> str:
        """Call a tool and return what the model would read."""
        result = await self.ask(self.tool_call(name, **arguments))
        return "\n".join(part["text"] for part in result["content"])

    async def kill(self) -> None:
        """End the server as no program can prevent it."""
        self._process.kill()
        await self._process.wait()

    async def hang_up(self) -> int:
        """Close stdin, read what still comes, and return the server's exit code."""
        await self._stdin.aclose()
        try:
            while True:
                await self.next_message()
        except (anyio.EndOfStream, anyio.IncompleteRead):
            return await self._process.wait()

    async def shake_hands(self) -> None:
        """Open the connection as clients did before 2026-07-28."""
        await self.ask(
            {"jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": HANDSHAKE}
        )
        await self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def _envelope(self) -> Message:
        return ENVELOPE | {"io.modelcontextprotocol/clientCapabilities": self.capabilities}

    async def next_message(self) -> Message:
        """Read one line, which must be a JSON-RPC message and nothing else."""
        line = await self._lines.receive_until(b"\n", LONGEST_LINE_BYTES)
        message: Message = json.loads(line)
        assert message["jsonrpc"] == "2.0"
        assert ("method" in message) != ("result" in message or "error" in message)
        self.heard.append(message)
        return message


@asynccontextmanager
async def raw_server(sandbox: Sandbox, *, era: Era = "modern") -> AsyncGenerator[RawClient]:
    """Start a server in the sandbox, as Claude Code would; it is dead when this ends."""
    process = await anyio.open_process(
        [sys.executable, "-m", "kimi_mcp"],
        env={**os.environ, "CLAUDE_PROJECT_DIR": str(sandbox.root)},
        cwd=sandbox.root,
        stderr=None,
    )
    async with process:
        client = RawClient(process, era=era)
        try:
            if era == "legacy":
                await client.shake_hands()
            yield client
        finally:
            if psutil.pid_exists(process.pid) and process.returncode is None:
                process.kill()
