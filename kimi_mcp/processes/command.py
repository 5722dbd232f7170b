"""Run one shell command to its end: setup and verification commands.

The whole output goes to a file; only its tail stays in memory.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio

from kimi_mcp.processes import child as children

TAIL_BYTES = 16_384
KEPT_BYTES = 20_000_000  # of the output, on disk

NOT_FOUND = 127


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandResult:
    """How a command ended. No exit code: it was killed by a signal, or timed out."""

    exit_code: int | None
    signal: int | None
    is_timed_out: bool
    duration_s: float
    tail: str

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
    output: Path,
) -> CommandResult:
    """Run *text* with `sh -c` in *cwd*, both output streams into *output*.

    Never raises for what the command does: a missing `sh` is exit code 127 as in any shell.
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
            exit_code=NOT_FOUND,
            signal=None,
            is_timed_out=False,
            duration_s=clock() - began,
            tail=str(error),
        )
    return CommandResult(
        exit_code=None if is_timed_out else ended.code,
        signal=None if is_timed_out else ended.signal,
        is_timed_out=is_timed_out,
        duration_s=clock() - began,
        tail=bytes(tail).decode(errors="replace"),
    )


async def _keep(child: children.Child, *, output: Path, tail: bytearray) -> None:
    kept = 0
    async with await anyio.open_file(output, "wb") as file:
        async for chunk in child.stdout:
            tail += chunk
            del tail[:-TAIL_BYTES]
            if kept < KEPT_BYTES:
                kept += len(chunk)
                await file.write(chunk)
