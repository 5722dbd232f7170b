"""Start a program under the launcher, read what it says, and end it for certain.

The one door through which Kimi, setup commands and checks are started. Leaving the context ends the
program and everything that it started, also when the caller is cancelled.
"""

import contextlib
import json
import os
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import anyio
from anyio.abc import ByteReceiveStream, ByteSendStream, Process

from kimi_mcp.processes import launcher
from kimi_mcp.processes.orphans import end_orphans

START_BOUND_S = 30.0
DRAIN_BOUND_S = 5.0  # for reading the rest of its output once everything is gone
STOP_ALLOWANCE_S = launcher.SWEEP_BOUND_S + 5.0  # what the launcher may take after the grace


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a program ended: exactly one of *code* and *signal*, or neither when that is unknown."""

    code: int | None
    signal: int | None
    was_stopped: bool
    swept: int  # processes that it left behind and that were ended


class NotStarted(Exception):
    """The program could not be started at all; the text is the system's reason."""


class Child:
    """A running program. Made by `start` only."""

    def __init__(self, process: Process, status: "_Status", *, grace_s: float) -> None:
        self._process = process
        self._status = status
        self._grace_s = grace_s
        self._exit: Exit | None = None
        self._ended = anyio.Lock()

    @property
    def stdout(self) -> ByteReceiveStream:
        """What the program writes to its standard output."""
        return cast("ByteReceiveStream", self._process.stdout)

    @property
    def stderr(self) -> ByteReceiveStream:
        """What the program writes to its standard error; empty when merged."""
        return cast("ByteReceiveStream", self._process.stderr)

    async def stop(self) -> None:
        """Have the launcher end the program: one TERM, the grace, KILL, then all it started.

        Returns when all of that is gone. Calling it again is harmless.
        """
        # broken or closed: it has already ended
        with contextlib.suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            await cast("ByteSendStream", self._process.stdin).send(b"stop\n")
        with anyio.move_on_after(self._grace_s + STOP_ALLOWANCE_S) as patience:
            await self.wait()
        if patience.cancelled_caught:
            # the program has frozen its launcher: without it, what it watched over becomes ours
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self.wait()

    async def wait(self) -> Exit:
        """Wait until the program and everything it started is gone."""
        async with self._ended:
            if self._exit is None:
                said = await self._status.read()
                if said is None:
                    # somebody killed the launcher: what it watched over has become ours
                    await anyio.to_thread.run_sync(end_orphans)
                    self._exit = Exit(code=None, signal=None, was_stopped=False, swept=0)
                else:
                    self._exit = Exit(
                        code=said["exited"],
                        signal=said["signal"],
                        was_stopped=said["stopped"],
                        swept=said["swept"],
                    )
                await self._process.wait()
            return self._exit


@asynccontextmanager
async def start(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    grace_s: float,
    is_stderr_merged: bool = False,
) -> AsyncGenerator[Child]:
    """Start *argv* with exactly *env*, stdin empty, in a session of its own.

    Raises:
        NotStarted: the program does not exist or may not be run.
    """
    job: launcher.Job = {
        "argv": list(argv),
        "cwd": str(cwd),
        "env": dict(env),
        "grace_s": grace_s,
        "merge_stderr": is_stderr_merged,
    }
    async with _launcher() as (process, status):
        try:
            with anyio.fail_after(START_BOUND_S):
                pulse = cast("ByteSendStream", process.stdin)
                await pulse.send(json.dumps(job).encode() + b"\n")
                if await status.read() is None:
                    raise NotStarted("the launcher ended before it had read its job")
                said = await status.read()
        except (TimeoutError, anyio.BrokenResourceError) as error:
            raise NotStarted("the launcher does not answer") from error
        if said and "failed" in said:
            raise NotStarted(str(said["failed"]))
        # no further word: the program has already killed the launcher, which `wait` finds out
        child = Child(process, status, grace_s=grace_s)
        try:
            yield child
        finally:
            with anyio.CancelScope(shield=True):
                await _end(child)


@asynccontextmanager
async def _launcher() -> AsyncGenerator[tuple[Process, "_Status"]]:
    reader, writer = os.pipe()
    with contextlib.closing(_Status(reader)) as status:
        try:
            process = await anyio.open_process(
                [sys.executable, "-I", launcher.__file__, str(writer)],
                pass_fds=(writer,),
                start_new_session=True,
            )
        except OSError as error:
            raise NotStarted(str(error)) from error
        finally:
            os.close(writer)
        try:
            yield process, status
        finally:
            with anyio.CancelScope(shield=True):
                with anyio.move_on_after(STOP_ALLOWANCE_S) as patience:
                    # closes the pipe that is the launcher's pulse, and waits for its end
                    await process.aclose()
                if patience.cancelled_caught:  # which has killed the launcher
                    await anyio.to_thread.run_sync(end_orphans)


async def _end(child: Child) -> None:
    """Stop it, and read away what nobody reads any more: a full pipe could hold up the end."""

    async def swallow(stream: ByteReceiveStream) -> None:
        try:
            async for _ in stream:
                pass
        except (anyio.ClosedResourceError, anyio.BrokenResourceError, anyio.BusyResourceError):
            return

    async with anyio.create_task_group() as group:
        group.start_soon(swallow, child.stdout)
        group.start_soon(swallow, child.stderr)
        await child.stop()
        group.cancel_scope.cancel()


class _Status:
    """The launcher's messages. A cancelled read loses none of them."""

    def __init__(self, fd: int) -> None:
        os.set_blocking(fd, False)
        self._fd = fd
        self._buffer = bytearray()

    def close(self) -> None:
        os.close(self._fd)

    async def read(self) -> dict[str, Any] | None:
        """Return the next message, or nothing when the launcher has closed its end."""
        while b"\n" not in self._buffer:
            await anyio.wait_readable(self._fd)
            chunk = os.read(self._fd, 4096)
            if not chunk:
                return None
            self._buffer += chunk
        line, self._buffer = self._buffer.split(b"\n", 1)
        return json.loads(line)
