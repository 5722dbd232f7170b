"""Run one shell command to its end: setup and verification commands.

The whole output goes to a file; only its tail stays in memory.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio

from kimi_mcp import private
from kimi_mcp.processes import child as children
from kimi_mcp.processes.confinement import Confinement

TAIL_BYTES = 16_384  # of the output, in memory
KEPT_BYTES = 20_000_000  # of the output, on disk

STARVED = "\nkimi-mcp ended this command: it left less on the disk than limits.free_bytes.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """How a command ended. No exit code: it was killed, timed out, or not started at all."""

    exit_code: int | None
    signal: int | None
    is_timed_out: bool
    duration_s: float
    tail: str
    obstacle: str | None = None
    """Why it could not be started."""

    @property
    def is_passed(self) -> bool:
        """Whether the command ended by itself with exit code 0."""
        return self.exit_code == 0 and not self.is_timed_out


async def run_command(
    text: str,
    *,
    cwd: Path,
    env: Mapping[str, str],
    timeout_s: float,
    grace_s: float,
    confinement: Confinement | None,
    output: Path,
    free_bytes: int = 0,
) -> CommandResult:
    """Run *text* with `sh -c` in *cwd*, within *confinement*, both output streams into *output*.

    Never raises for what the command does, nor when it cannot be started.
    """
    clock = anyio.current_time
    began = clock()
    tail = bytearray()
    is_timed_out = False
    try:
        async with children.start(
            [shutil.which("sh", path=env.get("PATH")) or "/bin/sh", "-c", text],
            cwd=cwd,
            env=env,
            grace_s=grace_s,
            free_bytes=free_bytes,
            confinement=confinement,
            is_stderr_merged=True,
        ) as child:
            async with anyio.create_task_group() as readers:
                # beside the waiting: a program that says much must not be held up, nor one that
                # keeps the pipe open hold us up
                readers.start_soon(partial(_keep, child, output=output, tail=tail))
                with anyio.move_on_after(timeout_s) as limit:
                    await child.wait()
                if limit.cancelled_caught:
                    is_timed_out = True
                    await child.stop()
                readers.cancel_scope.deadline = clock() + children.DRAIN_BOUND_S
            ended = await child.wait()
    except children.NotStarted as error:
        return CommandResult(
            exit_code=None,
            signal=None,
            is_timed_out=False,
            duration_s=clock() - began,
            tail=str(error),
            obstacle=str(error),
        )
    if ended.was_starved:
        tail += STARVED.encode()
    return CommandResult(
        exit_code=None if is_timed_out else ended.code,
        signal=None if is_timed_out else ended.signal,
        is_timed_out=is_timed_out,
        duration_s=clock() - began,
        tail=bytes(tail).decode(errors="replace"),
    )


async def _keep(child: children.Child, *, output: Path, tail: bytearray) -> None:
    kept = 0
    async with await anyio.open_file(output, "wb", opener=private.opener) as file:
        async for chunk in child.stdout:
            tail += chunk
            del tail[:-TAIL_BYTES]
            if kept < KEPT_BYTES:
                kept += len(chunk)
                await file.write(chunk)
