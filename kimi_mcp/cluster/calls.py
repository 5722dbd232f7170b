"""Asking the engine, from a process that does not load Ray.

The engine is started when it is first asked, and anew when it has died: what it was asked is asked
again, for every question may be asked twice. One to which a cluster is away for long is replaced,
too: to an actor of a head that is another one by now Ray (2.60) calls in vain for ever.
"""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Any

import anyio
from anyio.abc import SocketStream, TaskGroup

from kimi_mcp.cluster.asked import Asked
from kimi_mcp.errors import Unreachable
from kimi_mcp.processes.environment import passed_on

ENGINE = "kimi_mcp.cluster.engine"
PAUSE_S = 0.5  # before what could not be done is asked again
PATIENCE_S = 300.0  # with a cluster that cannot be reached
ANSWER_S = 15.0  # for an answer, beside the time in which there is to be waited for one
CARRYING_S = 300.0  # for what may carry large files
RENEWAL_S = 20.0  # of a cluster that is away, until another engine has a look


class Gone(Exception):
    """The actor that was asked is gone, and what it had; the text is Ray's."""


class Cluster:
    """The engine and what is asked of it.

    Args:
        asked: which cluster.
        host: the environment, for the way in.
        group: where the engine is listened to; it ends with that.
    """

    def __init__(self, asked: Asked, *, host: Mapping[str, str], group: TaskGroup) -> None:
        self.asked = asked
        self._host = host
        self._group = group
        self._opening = anyio.Lock()
        self._sending = anyio.Lock()
        self._stream: SocketStream | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting: dict[int, tuple[anyio.Event, dict[str, Any]]] = {}
        self._opened_at = 0.0
        self._count = 0

    async def ask(self, do: str, **values: Any) -> Any:
        """Ask the engine, again and again while the cluster is away.

        Raises:
            Gone: the actor that it is about is gone.
            Unreachable: the cluster has been away for too long, or its versions do not fit.
        """
        since = time.monotonic()
        bound_s = ANSWER_S + values.get("wait_s", CARRYING_S)
        while True:
            said: dict[str, Any] = {"away": "It does not answer."}
            with anyio.move_on_after(bound_s):
                said = await self._asked_once(do, values)
            if "gone" in said:
                raise Gone(said["gone"])
            if "unfit" in said:
                raise self._unfit(said)
            if "done" in said:
                return said["done"]
            away_s = time.monotonic() - since
            if away_s > PATIENCE_S + bound_s:
                raise Unreachable(
                    f"The cluster {self.asked.address} cannot be reached: {said['away']}"
                )
            if away_s > RENEWAL_S:
                self._renew()
            await anyio.sleep(PAUSE_S)

    async def _asked_once(self, do: str, values: dict[str, Any]) -> dict[str, Any]:
        try:
            stream = await self._opened()
            return await self._exchange(stream, do, values)
        except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError) as error:
            return {"away": str(error)}

    async def _opened(self) -> SocketStream:
        async with self._opening:
            if self._stream is not None:
                return self._stream
            ours, theirs = socket.socketpair()
            with theirs:
                self._process = subprocess.Popen(  # noqa: ASYNC220  milliseconds
                    [sys.executable, "-P", "-m", ENGINE, str(theirs.fileno())],
                    pass_fds=(theirs.fileno(),),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env={**passed_on(self._host), **self.asked.environment(self._host)},
                    cwd="/",
                )
            self._opened_at = time.monotonic()
            ours.setblocking(False)
            stream = await SocketStream.from_socket(ours)
            self._group.start_soon(self._listen, stream, self._process)
            said: dict[str, Any] = {}
            try:
                said = await self._exchange(stream, "connect", {"asked": self.asked.to_json()})
            finally:
                if "done" not in said:
                    self._process.kill()  # who listens to it cleans up
            if "unfit" in said:
                raise self._unfit(said)
            if "done" not in said:
                raise OSError(said.get("away", "the engine ended"))
            self._stream = stream
            return stream

    def _renew(self) -> None:
        """Have another engine started, unless this one is new."""
        is_old = time.monotonic() - self._opened_at > RENEWAL_S
        if self._process is not None and is_old:
            self._process.kill()

    def _unfit(self, said: Mapping[str, Any]) -> Unreachable:
        return Unreachable(f"The cluster {self.asked.address} cannot be used: {said['unfit']}")

    async def _exchange(
        self, stream: SocketStream, do: str, values: dict[str, Any]
    ) -> dict[str, Any]:
        self._count += 1
        number = self._count
        came: tuple[anyio.Event, dict[str, Any]] = anyio.Event(), {}
        self._waiting[number] = came
        try:
            call = json.dumps({"id": number, "do": do, "with": values})
            async with self._sending:
                with anyio.CancelScope(shield=True):  # not half a line
                    await stream.send(call.encode() + b"\n")
            await came[0].wait()
        finally:
            self._waiting.pop(number, None)
        return came[1]

    async def _listen(self, stream: SocketStream, process: subprocess.Popen[bytes]) -> None:
        buffer = bytearray()
        try:
            while True:
                buffer += await stream.receive()
                *lines, rest = buffer.split(b"\n")
                buffer = bytearray(rest)
                for line in lines:
                    said = json.loads(line)
                    self._answered(said.pop("id"), said)
        except (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            self._stream = None
            for number in [*self._waiting]:
                self._answered(number, {"away": "The process that speaks Ray has ended."})
        finally:
            with anyio.CancelScope(shield=True):
                await stream.aclose()
                process.kill()
                await anyio.to_thread.run_sync(process.wait)

    def _answered(self, number: int, said: dict[str, Any]) -> None:
        if number in self._waiting:
            event, into = self._waiting[number]
            into.update(said)
            event.set()


def is_installed() -> bool:
    """Tell whether the extra is there, without loading it."""
    from importlib.util import find_spec  # noqa: PLC0415

    return find_spec("ray") is not None
