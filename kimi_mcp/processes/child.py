"""Start a program under the launcher, read what it says, and end it for certain.

The one door through which Kimi, setup commands and checks are started. Leaving the context ends the
program and everything that it started, also when the caller is cancelled.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio.abc import ByteReceiveStream

from kimi_mcp.processes import launching
from kimi_mcp.processes.confinement import Confinement, Standing
from kimi_mcp.processes.launcher import Job
from kimi_mcp.processes.launching import Launcher, NotStarted, launched
from kimi_mcp.processes.orphans import end_orphans

__all__ = ["Child", "Exit", "NotStarted", "start"]

DRAIN_BOUND_S = 5.0  # for reading the rest of its output once everything is gone


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a program ended: exactly one of *code* and *signal*, or neither when that is unknown."""

    code: int | None
    signal: int | None
    swept: int  # processes that it left behind and that were ended
    was_starved: bool = False  # ended because it left too little room on the disk


class Child:
    """A running program. Made by `start` only."""

    def __init__(self, launcher: Launcher, *, grace_s: float, fence: Standing | None) -> None:
        self.fence = fence
        """What stands around the program; nothing where no fence was asked for."""
        self.launcher = launcher
        self._grace_s = grace_s
        self._exit: Exit | None = None
        self._ended = anyio.Lock()

    @property
    def stdout(self) -> ByteReceiveStream:
        """What the program writes to its standard output."""
        return self.launcher.stdout

    @property
    def stderr(self) -> ByteReceiveStream:
        """What the program writes to its standard error; empty when merged."""
        return self.launcher.stderr

    async def stop(self) -> None:
        """Have the launcher end the program: one TERM, the grace, KILL, then all it started.

        Returns when all of that is gone. Calling it again is harmless.
        """
        await self.launcher.stop()
        with anyio.move_on_after(self._grace_s + launching.STOP_ALLOWANCE_S) as patience:
            await self.wait()
        if patience.cancelled_caught:
            # the program has frozen its launcher: without it, what it watched over becomes ours
            self.launcher.kill()
            await self.wait()

    async def wait(self) -> Exit:
        """Wait until the program and everything it started is gone."""
        async with self._ended:
            if self._exit is None:
                said = await self.launcher.status.read()
                if said is None:
                    # somebody killed the launcher: what it watched over has become ours
                    await anyio.to_thread.run_sync(end_orphans, self.launcher.pid)
                    self._exit = Exit(code=None, signal=None, swept=0)
                else:
                    self._exit = Exit(
                        code=said["exited"],
                        signal=said["signal"],
                        was_starved=said["starved"],
                        swept=said["swept"],
                    )
                await self.launcher.gone()
            return self._exit


@asynccontextmanager
async def start(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    grace_s: float,
    confinement: Confinement | None,
    free_bytes: int = 0,
    is_stderr_merged: bool = False,
) -> AsyncGenerator[Child]:
    """Start *argv* with exactly *env*, stdin empty, in a session of its own, within *confinement*.

    It is ended when less than *free_bytes* are left on the disk that holds *cwd*.

    Raises:
        NotStarted: the program does not exist or may not be run, or a fence is required and there
            is none.
    """
    job: Job = {
        "argv": list(argv),
        "cwd": str(cwd),
        "env": dict(env),
        "grace_s": grace_s,
        "free_bytes": free_bytes,
        "merge_stderr": is_stderr_merged,
        "fence": confinement and confinement.wish(),
    }
    async with launched(job) as launcher:
        fence = Standing.from_report(await launcher.started())
        child = Child(launcher, grace_s=grace_s, fence=fence)
        try:
            yield child
        finally:
            with anyio.CancelScope(shield=True):
                await _end(child)


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
