"""Our own run of the spec's commands, on exactly the commit that will be published.

A check that fails is run once more on the same commit, for many are flaky: it counts as passed when
the second run passes, and both results are told. Not run again is what would end the same way: what
ran out of time, what found no test, a program that is missing.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio

from kimi_mcp.dispatch.events import Checked
from kimi_mcp.dispatch.orders import Orders
from kimi_mcp.dispatch.running.confines import Confines
from kimi_mcp.dispatch.running.ground import Ground
from kimi_mcp.evidence.no_tests import nothing_ran
from kimi_mcp.history.records import Check, Rerun
from kimi_mcp.processes.command import TAIL_BYTES, CommandResult, run_command
from kimi_mcp.processes.confinement import Confinement
from kimi_mcp.spec.model import Command
from kimi_mcp.state import TaskFolder

SEARCHED_BYTES = 2_000_000  # of the output, when its tail tells of no test

_NOT_EXECUTABLE, _NOT_FOUND = 126, 127  # what a shell says of programs


class Environment:
    """Where setup and check commands run, and with what."""

    def __init__(self, folder: TaskFolder, confines: Confines, orders: Orders) -> None:
        self._folder = folder
        self._confines = confines
        self._orders = orders
        #: How long setup has taken here.
        self.setup_s = 0.0

    async def set_up(self, *, output: Path) -> tuple[str, CommandResult] | None:
        """Run the setup commands; return the first that failed with its result."""
        for position, text in enumerate(self._orders.setup, start=1):
            result = await self._run(
                text,
                timeout_s=self._orders.setup_s,
                output=output / f"setup-{position}.txt",
                confinement=self._confines.around_setup(),
            )
            self.setup_s += result.duration_s
            if not result.is_passed:
                return text, result
        return None

    async def check(self, command: Command, *, position: int, output: Path) -> Check:
        """Run one of the spec's commands; its whole output is kept in the file *output*."""
        result = await self._run(
            command.text,
            directory=command.directory,
            timeout_s=min(self._orders.check_s, command.timeout_s or self._orders.check_s),
            output=output,
            confinement=self._confines.around_check(),
        )
        return Check(
            position=position,
            command=command.text,
            directory=command.directory,
            exit_code=result.exit_code,
            is_timed_out=result.is_timed_out,
            duration_ms=round(result.duration_s * 1000),
            output_tail=result.tail,
            fault=await anyio.to_thread.run_sync(_fault, command, result, output),
        )

    async def missing(self, words: Sequence[str], *, output: Path) -> list[str]:
        """Name those of *words* that are no command in the checks' shell."""
        loop = 'for word in "$@"; do command -v "$word" >/dev/null || printf "%s\\n" "$word"; done'
        result = await self._run(
            f"set -- {' '.join(words)}; {loop}",
            timeout_s=self._orders.check_s,
            output=output,
            confinement=self._confines.around_check(),
        )
        said = result.tail.splitlines()
        return [word for word in words if word in said]

    async def _run(
        self,
        text: str,
        *,
        timeout_s: float,
        output: Path,
        confinement: Confinement | None,
        directory: str | None = None,
    ) -> CommandResult:
        self._folder.temporary.mkdir(exist_ok=True)
        return await run_command(
            text,
            cwd=self._folder.clone / (directory or ""),
            env=self._confines.environment,
            timeout_s=timeout_s,
            grace_s=self._orders.grace_s,
            free_bytes=self._orders.free_bytes,
            confinement=confinement,
            output=output,
        )


async def proven(
    command: Command, *, position: int, environment: Environment, ground: Ground, output: Path
) -> Check:
    """Run a command on the ground's commit, and once more where that may tell more."""
    since_ns = await anyio.to_thread.run_sync(ground.mark)
    file = output / f"check-{position}.txt"
    check = await environment.check(command, position=position, output=file)
    if not _may_be_flaky(check):
        return check
    undo = partial(ground.undo, since_ns, aside=output / f"aside-{position}")
    if await anyio.to_thread.run_sync(undo) and await environment.set_up(output=output):
        return check
    file = output / f"check-{position}-again.txt"
    again = await environment.check(command, position=position, output=file)
    return replace(check, again=Rerun.PASSED if again.is_passed else Rerun.FAILED)


async def prove(
    commands: Sequence[Command],
    *,
    environment: Environment,
    ground: Ground,
    output: Path,
    emit: Callable[[Checked], Awaitable[None]],
    compare: Callable[[Check, Command], Awaitable[Check]] | None = None,
) -> list[Check]:
    """Run all commands in order, whatever comes of one, and say each result.

    With *compare* each result is completed by what the same command does elsewhere.
    """
    checks: list[Check] = []
    for position, command in enumerate(commands, start=1):
        check = await proven(
            command, position=position, environment=environment, ground=ground, output=output
        )
        if compare is not None:
            check = await compare(check, command)
        checks.append(check)
        await emit(Checked(check=check))
    return checks


def _may_be_flaky(check: Check) -> bool:
    is_final = check.is_passed or check.is_timed_out or check.fault is not None
    return not is_final and check.exit_code not in {_NOT_EXECUTABLE, _NOT_FOUND}


def _fault(command: Command, result: CommandResult, output: Path) -> str | None:
    """Say why a result does not count; of a long output more than its tail is read."""
    if result.exit_code is None:
        return result.obstacle
    fault = nothing_ran(command.text, result.tail, is_passed=result.is_passed)
    if fault is None or len(result.tail) < TAIL_BYTES // 4:  # characters may be four bytes
        return fault
    with output.open("rb") as file:
        text = file.read(SEARCHED_BYTES).decode(errors="replace")
    return nothing_ran(command.text, text, is_passed=result.is_passed)
