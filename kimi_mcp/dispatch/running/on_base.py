"""When a check is run on the commit that its task began from as well. Pure.

A check that fails there too blames nobody's work. One that passes there already proves nothing of
what a task creates. The first question is always worth its price: the attempt has failed, and the
answer decides what its reader does next. The second is about the spec and not about the work, so it
may only cost what is cheap: no more than a minute, not where the command names what is created and
must fail without it, and not where setup and check are slow.
"""

from collections.abc import Collection
from pathlib import PurePosixPath

from kimi_mcp.globs import is_glob
from kimi_mcp.history.records import Check
from kimi_mcp.spec.model import Command, Operation, Task

CHEAP_S = 30.0  # setup and check together
PASSED_S = 60.0  # at most, for a check that passed
FAILED_SHARE = 2.0  # of what setup may take: setup itself, and the check


def time_s(check: Check, command: Command, task: Task, *, setup_s: float) -> float | None:
    """Return how long the base may be asked about *check*; None when it is not asked.

    Args:
        check: how the command ended on the work.
        command: the same, as the spec has it.
        task: whose work it is.
        setup_s: how long setup took.
    """
    if not check.is_passed:
        took_s = check.duration_ms / 1000
        is_told = check.is_timed_out or not check.is_begun
        return None if is_told else PASSED_S + FAILED_SHARE * (setup_s + took_s)
    created = {
        path
        for entry in task.writes
        if entry.operation in {Operation.CREATE, Operation.MOVE}
        for path in entry.written_paths
    }
    is_cheap = setup_s + check.duration_ms / 1000 <= CHEAP_S
    return PASSED_S if created and is_cheap and not _names(command, created) else None


def _names(command: Command, created: Collection[str]) -> bool:
    """Whether a command speaks of something that is created: a path, a file, a module."""
    text = command.text
    return any(name in text for path in created for name in _spoken(path))


def _spoken(path: str) -> Collection[str]:
    pure = PurePosixPath(path)
    if is_glob(path):
        plain = [part for part in pure.parts if not is_glob(part)]
        return plain[-1:]
    return {pure.name, pure.stem}
