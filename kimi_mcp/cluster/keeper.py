"""The actor of one task attempt: it has the attempt carried out on its node and keeps what is told.

Events are kept until whoever writes the history says that they are stored, the result until it is
fetched: runner, driver and network may go and come back. The work itself is done by a process of
its own, which ends with this one. Nothing here knows Ray; `engine` makes an actor of it.
"""

import asyncio
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections import deque
from contextlib import suppress
from typing import Any

from kimi_mcp.cluster import logs
from kimi_mcp.cluster.asked import machine_name
from kimi_mcp.cluster.node import versions
from kimi_mcp.state import StateFolder
from kimi_mcp.workspace.carrying import held_in

WORKER = "kimi_mcp.dispatch.elsewhere.worker"
LINE_BYTES = 64 * 1024 * 1024
LOST = "task.ended"

Told = tuple[int, str, dict[str, Any]]


class Keeper:
    """Keeps one attempt. Its methods are called from another machine."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._state = StateFolder.locate()
        self._folder = self._state.root / "cluster/attempts" / name
        self._order: str | None = None
        self._told: deque[Told] = deque()
        self._count = 0
        self._news = asyncio.Event()
        self._words: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    async def facts(self) -> dict[str, Any]:
        """Tell what this node is, and whether the attempt was begun."""
        return {**versions(), "is_begun": self._order is not None}

    async def held(self, key: str) -> list[str]:
        """Name the commits that this node holds of a repository."""
        return held_in(self._state.root / "cluster/repositories" / key)

    async def begin(self, order: str, secrets: str, pack: bytes) -> bool:
        """Have the attempt carried out; nothing happens when that was asked before.

        Returns:
            False when this actor was given another order.
        """
        digest = hashlib.sha256(order.encode()).hexdigest()
        if self._order is not None:
            return self._order == digest
        self._order = digest
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (self._folder / "pack").write_bytes(pack)
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: ASYNC220  milliseconds
                [sys.executable, "-P", "-m", WORKER, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                cwd=self._folder,
                start_new_session=True,
            )
        reader, self._words = await asyncio.open_connection(sock=ours, limit=LINE_BYTES)
        for line in (json.dumps({"folder": str(self._folder)}), order, secrets):
            self._words.write(line.encode() + b"\n")
        self._listening = asyncio.create_task(self._listen(reader))
        return True

    async def events(self, after: int, wait_s: float) -> list[Told]:
        """Return what was told after a number, waiting for something; all up to it is stored."""
        while self._told and self._told[0][0] <= after:
            self._told.popleft()
        if not self._told:
            self._news.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._news.wait()
            except TimeoutError:
                return []
        return list(self._told)

    async def say(self, word: str) -> None:
        """Pass a word on to the work: cancel, or pause."""
        if self._words is not None:
            self._words.write(word.encode() + b"\n")

    async def result(self) -> bytes:
        """Return what the attempt's commit adds."""
        return (self._folder / "result").read_bytes()

    async def release(self, *, is_kept: bool) -> None:
        """End, now that all is stored; the files stay if *is_kept*, what was printed always."""
        if self._words is not None:
            self._words.close()
        if self._listening is not None:
            await self._listening
        if not is_kept:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        has_ended = False
        while line := await _line(reader):
            kind, payload = json.loads(line)
            has_ended = kind == LOST
            self._tell(kind, payload)
        if self._process is not None:
            await asyncio.to_thread(self._process.wait)
        if not has_ended:
            self._tell(LOST, _lost(f"The worker on {machine_name(os.environ)} died."))
        # now, while what was told is stored: the next attempt waits for this one's slot
        with suppress(OSError):  # a full disk
            await asyncio.to_thread(logs.keep, self._state, self._name, self._folder)

    def _tell(self, kind: str, payload: dict[str, Any]) -> None:
        self._count += 1
        self._told.append((self._count, kind, payload))
        self._news.set()


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


def _lost(sentence: str) -> dict[str, Any]:
    return {
        "outcome": None,
        "is_cancelled": False,
        "is_checked": False,
        "commit": None,
        "sentence": sentence,
        "is_lost": True,
    }
