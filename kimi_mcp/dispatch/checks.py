"""Our own run of the spec's commands, on exactly the commit that will be published.

What lies in the clone without being in the commit could make a check pass that should not: a
patched test runner in an ignored folder, a module that only exists on disk, a hook. So everything
that Kimi made or changed outside the commit is moved aside first, and `.git` is laid anew.
"""

import os
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from kimi_mcp.dispatch.events import Checked
from kimi_mcp.dispatch.orders import Orders
from kimi_mcp.history.records import Check
from kimi_mcp.processes.command import CommandResult, run_command
from kimi_mcp.spec.model import Command
from kimi_mcp.state import TaskFolder
from kimi_mcp.workspace.clone import Ledger, renew_git
from kimi_mcp.workspace.leftovers import Stamp, fresh, leftovers, set_aside


class Environment:
    """Where setup and check commands run, and with what."""

    def __init__(self, folder: TaskFolder, env: Mapping[str, str], orders: Orders) -> None:
        self._folder = folder
        self._env = {**env, "TMPDIR": str(folder.temporary)}
        self._orders = orders

    async def set_up(self, *, output: Path) -> tuple[str, CommandResult] | None:
        """Run the setup commands; return the first that failed with its result."""
        for position, text in enumerate(self._orders.setup, start=1):
            result = await self._run(
                text, timeout_s=self._orders.setup_s, output=output / f"setup-{position}.txt"
            )
            if not result.is_passed:
                return text, result
        return None

    async def check(self, command: Command, *, position: int, output: Path) -> Check:
        """Run one of the spec's commands."""
        result = await self._run(
            command.text,
            directory=command.directory,
            timeout_s=min(self._orders.check_s, command.timeout_s or self._orders.check_s),
            output=output / f"check-{position}.txt",
        )
        return Check(
            position=position,
            command=command.text,
            directory=command.directory,
            exit_code=result.exit_code,
            is_timed_out=result.is_timed_out,
            duration_ms=round(result.duration_s * 1000),
            output_tail=result.tail,
        )

    async def _run(
        self, text: str, *, timeout_s: float, output: Path, directory: str | None = None
    ) -> CommandResult:
        self._folder.temporary.mkdir(exist_ok=True)
        return await run_command(
            text,
            cwd=self._folder.clone / (directory or ""),
            env=self._env,
            timeout_s=timeout_s,
            grace_s=self._orders.grace_s,
            output=output,
        )


def clear_the_ground(
    ledger: Ledger, folder: TaskFolder, commit: str, *, before: Mapping[str, Stamp], aside: Path
) -> tuple[tuple[str, ...], bool]:
    """Make the clone hold exactly *commit* and what setup had made.

    Returns:
        The paths that were moved to *aside*, and whether something that setup made is among the
        changed ones or gone, so that setup must run again.
    """
    foreign = fresh(before, leftovers(ledger, commit, clone=folder.clone))
    set_aside(folder.clone, foreign, into=aside)
    # what Kimi left in the temporary folder helps no check either
    shutil.rmtree(folder.temporary, ignore_errors=True)
    renew_git(ledger, commit, clone=folder.clone, index=folder.index, aside=aside)
    is_setup_hurt = not all(os.path.lexists(folder.clone / path) for path in before)
    return foreign, is_setup_hurt


async def prove(
    commands: Sequence[Command],
    *,
    environment: Environment,
    output: Path,
    emit: Callable[[Checked], Awaitable[None]],
) -> list[Check]:
    """Run all commands in order, whatever comes of one, and say each result."""
    checks: list[Check] = []
    for position, command in enumerate(commands, start=1):
        check = await environment.check(command, position=position, output=output)
        checks.append(check)
        await emit(Checked(check=check))
    return checks
