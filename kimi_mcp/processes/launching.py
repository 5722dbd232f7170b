"""One launcher for one job: forked by a fork server of our own, spoken to over pipes.

The server is started when the first launcher is wanted, or before, and lives as long as we do. A
worker with a full shell may kill it or freeze it; then another one takes its place.
"""

import atexit
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import anyio
from anyio.abc import ByteReceiveStream

from kimi_mcp.processes import fork_server
from kimi_mcp.processes import launcher as launchers
from kimi_mcp.processes.orphans import end_orphans

START_BOUND_S = 30.0
STOP_ALLOWANCE_S = launchers.SWEEP_BOUND_S + 5.0  # what a launcher may take after the grace
_AT_ONCE_BYTES = 65_536
_NO_ANSWER = "the launcher does not answer"


class NotStarted(Exception):
    """The program could not be started at all; the text is the system's reason."""


class ForkServer:
    """The fork server of this process."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        atexit.register(self.end)

    @property
    def pid(self) -> int | None:
        """Its process; None when there is none."""
        return self._process.pid if self._process is not None else None

    def warm(self) -> None:
        """Start it, if it does not run.

        Raises:
            NotStarted: it cannot be started.
        """
        if self._process is not None and self._process.poll() is None:
            return
        self.end()
        self._control, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", fork_server.__file__, str(theirs.fileno())],
                    pass_fds=(theirs.fileno(),),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    start_new_session=True,
                )
            except OSError as error:
                self.end()
                raise NotStarted(str(error)) from error

    def fork(self, descriptors: Sequence[int]) -> int:
        """Have a launcher forked, with stdin, stdout, stderr and status; nobody says yet it was.

        Returns the process that was asked.

        Raises:
            NotStarted: the server cannot be started.
        """
        self.warm()
        assert self._control is not None  # noqa: S101  it is warm
        assert self._process is not None  # noqa: S101  it is warm
        with contextlib.suppress(OSError):  # it has just ended: the status ends unspoken
            socket.send_fds(self._control, [b"."], descriptors)
        return self._process.pid

    def end(self) -> None:
        """End it, at once; launchers go on."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._control = None


FORK_SERVER = ForkServer()


class Launcher:
    """One launcher, and what is said to it and by it."""

    def __init__(self) -> None:
        stdin, pulse = os.pipe()
        stdout, their_stdout = os.pipe()
        stderr, their_stderr = os.pipe()
        status, their_status = os.pipe()
        os.set_blocking(pulse, False)
        self._pulse: int | None = pulse
        self._descriptors = (stdin, their_stdout, their_stderr, their_status)
        self._theirs = contextlib.ExitStack()
        for descriptor in self._descriptors:
            self._theirs.callback(os.close, descriptor)
        self.stdout = Output(stdout)
        self.stderr = Output(stderr)
        self.status = Status(status)
        self.pid: int | None = None

    async def take(self, job: Mapping[str, object]) -> None:
        """Have it forked, and give it the job.

        Raises:
            NotStarted: it has not read the job, so the job will not be started.
        """
        asked = FORK_SERVER.fork(self._descriptors)
        self._theirs.close()
        try:
            with anyio.fail_after(START_BOUND_S):
                await self._say(json.dumps(job).encode() + b"\n")
                said = await self.status.read()
        except TimeoutError:
            said = None
        if said is None:
            # killed or frozen: a new one is asked next, unless another job has already made it
            if asked == FORK_SERVER.pid:
                FORK_SERVER.end()
            raise NotStarted(_NO_ANSWER)
        self.pid = said["launcher"]

    async def started(self) -> Mapping[str, Any] | None:
        """Return what stands around the job; nothing where no fence was asked for.

        Raises:
            NotStarted: the job could not be started.
        """
        try:
            with anyio.fail_after(START_BOUND_S):
                said = await self.status.read()
        except TimeoutError as error:
            raise NotStarted(_NO_ANSWER) from error
        if said and "failed" in said:
            raise NotStarted(str(said["failed"]))
        # no further word: the job has already killed the launcher, which its end will show
        return said.get("fence") if said else None

    async def stop(self) -> None:
        """Tell it to end its job; harmless when it has ended."""
        await self._say(b"stop\n")

    def kill(self) -> None:
        """Kill it outright, for a frozen one obeys nothing gentler."""
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    async def gone(self) -> None:
        """Wait until it is gone, and pass over what it still says."""
        while await self.status.read() is not None:
            pass

    async def let_go(self) -> None:
        """End its pulse, so that it ends its job and then itself; returns when it is gone."""
        self._theirs.close()
        if self._pulse is not None:
            os.close(self._pulse)
            self._pulse = None
        with anyio.move_on_after(STOP_ALLOWANCE_S) as patience:
            await self.gone()
        if patience.cancelled_caught:
            self.kill()
            await anyio.to_thread.run_sync(end_orphans, self.pid)
        for output in (self.stdout, self.stderr, self.status):
            await output.aclose()

    async def _say(self, data: bytes) -> None:
        """Write all of *data*, which may be more than a pipe takes at once, if anybody reads it."""
        with contextlib.suppress(BrokenPipeError):
            while data and self._pulse is not None:
                await anyio.wait_writable(self._pulse)
                data = data[os.write(self._pulse, data[:_AT_ONCE_BYTES]) :]


@asynccontextmanager
async def launched(job: Mapping[str, object]) -> AsyncGenerator[Launcher]:
    """Give *job* to a launcher of its own; leaving the context ends both.

    Raises:
        NotStarted: no launcher has read the job, nor has another one; nothing was started.
    """
    async with AsyncExitStack() as stack:
        try:
            launcher = await stack.enter_async_context(_taken(job))
        except NotStarted:
            launcher = await stack.enter_async_context(_taken(job))
        yield launcher


@asynccontextmanager
async def _taken(job: Mapping[str, object]) -> AsyncGenerator[Launcher]:
    launcher = Launcher()
    try:
        await launcher.take(job)
        yield launcher
    finally:
        with anyio.CancelScope(shield=True):
            await launcher.let_go()


class Output(ByteReceiveStream):
    """The reading end of a pipe."""

    def __init__(self, descriptor: int) -> None:
        os.set_blocking(descriptor, False)
        self._descriptor: int | None = descriptor

    async def receive(self, max_bytes: int = _AT_ONCE_BYTES) -> bytes:
        """Return what has come, at most *max_bytes*.

        Raises:
            anyio.EndOfStream: nobody can write any more.
            anyio.ClosedResourceError: it is closed.
        """
        while self._descriptor is not None:
            await anyio.wait_readable(self._descriptor)
            with contextlib.suppress(BlockingIOError):
                if chunk := os.read(self._descriptor, max_bytes):
                    return chunk
                raise anyio.EndOfStream
        raise anyio.ClosedResourceError

    async def aclose(self) -> None:
        """Close it."""
        if self._descriptor is not None:
            anyio.notify_closing(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None


class Status:
    """The launcher's messages. A cancelled read loses none of them."""

    def __init__(self, descriptor: int) -> None:
        self._output = Output(descriptor)
        self._buffer = bytearray()

    async def read(self) -> dict[str, Any] | None:
        """Return the next message, or nothing when the launcher is gone."""
        while b"\n" not in self._buffer:
            try:
                self._buffer += await self._output.receive()
            except anyio.EndOfStream:
                return None
        line, self._buffer = self._buffer.split(b"\n", 1)
        return json.loads(line)

    async def aclose(self) -> None:
        """Close it."""
        await self._output.aclose()
