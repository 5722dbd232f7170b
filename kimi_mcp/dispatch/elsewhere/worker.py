"""The process that carries an attempt out on another machine.

`python -P -m kimi_mcp.dispatch.elsewhere.worker SOCKET`, started by the attempt's keeper: by the
socket come the order and words (`cancel`, `pause`), and events go out, a line each. It ends with
the socket, and everything that it started ends with it, as with a runner that dies.
"""

import json
import os
import shutil
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from kimi_mcp.cluster.asked import machine_name
from kimi_mcp.dispatch.elsewhere.parcel import unpacked
from kimi_mcp.dispatch.events import Committed, Ended, Started, TaskEvent, encode
from kimi_mcp.dispatch.redacting import redactor_of
from kimi_mcp.dispatch.running.task import carry_out
from kimi_mcp.dispatch.running.work import TaskWork
from kimi_mcp.errors import KimiMcpError
from kimi_mcp.lifecycle import Outcome
from kimi_mcp.processes.launching import FORK_SERVER, NotStarted
from kimi_mcp.processes.orphans import adopt_orphans
from kimi_mcp.processes.strays import MARK
from kimi_mcp.state import StateFolder
from kimi_mcp.workspace.carrying import packed

ORDER_BYTES = 256 * 1024 * 1024
WORD_BYTES = 100


class Worker:
    """Carries one attempt out, and tells of it."""

    def __init__(self, stream: SocketStream) -> None:
        self._stream = stream
        self._lines = BufferedByteReceiveStream(stream)
        self._cancelled = anyio.Event()
        self._folder = Path()

    async def work(self) -> None:
        """Take the order, carry it out."""
        self._folder = Path(json.loads(await self._line())["folder"])
        os.environ[MARK] = str(self._folder)
        # the user's settings of git came with the order; this machine's are somebody else's
        os.environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        adopt_orphans()
        with suppress(NotStarted):  # the first job will say it
            FORK_SERVER.warm()
        parcel, handed = json.loads(await self._line()), json.loads(await self._line())
        try:
            work = await anyio.to_thread.run_sync(self._unpacked, parcel, handed)
        except KimiMcpError as error:
            await self._tell(Started(base=parcel["base"]))
            await self._tell(_unusable(error))
            return
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._obey, work, group.cancel_scope)
                await carry_out(work, emit=self._emitter(work), cancelled=self._cancelled)
                group.cancel_scope.cancel()
        finally:
            shutil.rmtree(self._folder / "handed", ignore_errors=True)

    def _unpacked(self, parcel: Mapping[str, Any], handed: Mapping[str, Any]) -> TaskWork:
        state = StateFolder.locate()
        return unpacked(
            parcel,
            folder=self._folder,
            kimi_config=handed.get("kimi_config"),
            state=state,
            host=os.environ,
            redact=redactor_of(state, os.environ),
        )

    def _emitter(self, work: TaskWork) -> Any:
        async def emit(event: TaskEvent) -> None:
            if isinstance(event, Committed) and event.commit != work.parent:
                await anyio.to_thread.run_sync(self._pack, work, event.commit)
            await self._tell(event)

        return emit

    def _pack(self, work: TaskWork, commit: str) -> None:
        known = sorted({work.base, work.parent})
        content = packed(work.ledger.git_dir, [commit], boundary=None, held=known)
        (self._folder / "result").write_bytes(content)

    async def _tell(self, event: TaskEvent) -> None:
        await self._stream.send(json.dumps(encode(event)).encode() + b"\n")

    async def _obey(self, work: TaskWork, scope: anyio.CancelScope) -> None:
        with suppress(anyio.IncompleteRead, anyio.BrokenResourceError):
            while True:
                match await self._lines.receive_until(b"\n", WORD_BYTES):
                    case b"cancel":
                        self._cancelled.set()
                    case b"pause":
                        work.paused.set()
                    case _:
                        pass
        scope.cancel()  # the keeper is gone

    async def _line(self) -> bytes:
        return await self._lines.receive_until(b"\n", ORDER_BYTES)


def _unusable(error: KimiMcpError) -> Ended:
    return Ended(
        outcome=Outcome.KIMI_UNUSABLE,
        is_cancelled=False,
        is_checked=False,
        commit=None,
        sentence=f"{machine_name(os.environ)} could not begin: {error}",
    )


async def main() -> None:
    """Work for whoever holds the other end of the socket."""
    ours = socket.socket(fileno=int(sys.argv[1]))
    ours.setblocking(False)
    async with await SocketStream.from_socket(ours) as stream:
        await Worker(stream).work()


if __name__ == "__main__":
    with suppress(anyio.IncompleteRead, anyio.BrokenResourceError):
        anyio.run(main)
    FORK_SERVER.end()
    os._exit(0)  # the attempt's slot is held meanwhile, and an interpreter's farewell takes long
