"""May the commands of a file run? Inside a fence always; else only if they are the user's. Pure.

A file's commands are the user's own when `plan_to_spec` wrote exactly this text on this machine, or
the user trusted exactly this text. An edit by hand cannot be told from what a `git pull` brought.
"""

import hashlib
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from kimi_mcp.dispatch.planning.project import quoted
from kimi_mcp.spec.model import Task

SHOWN_COMMANDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a file asks to be run or carried into the clones."""

    file: Path
    """Absolute, links resolved: the place that is trusted."""
    text: str
    kind: str
    """Like "setup commands"; of several kinds there is one demand each."""
    items: tuple[str, ...]

    def __str__(self) -> str:
        shown = ", ".join(map(quoted, self.items[:SHOWN_COMMANDS]))
        more = len(self.items) - SHOWN_COMMANDS
        return f"{self.kind} {shown}{f' and {more} more' if more > 0 else ''}"


def demands_of_project(
    file: Path, text: str, *, setup: tuple[str, ...], bring: tuple[str, ...]
) -> tuple[Demand, ...]:
    """Tell what a repository's settings ask for."""
    kinds = (("the setup commands", setup), ("the files to bring along", bring))
    return tuple(
        Demand(file=file, text=text, kind=kind, items=items) for kind, items in kinds if items
    )


def demands_of_spec(file: Path, text: str, tasks: Iterable[Task]) -> tuple[Demand, ...]:
    """Name the commands that a spec would have run here; none, no demand."""
    commands = tuple(command.text for task in tasks for command in task.commands)
    if not commands:
        return ()
    return (Demand(file=file, text=text, kind="the commands", items=commands),)


def hash_of(text: str) -> str:
    """Return what identifies a file's text: the SHA-256 of its bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


def strangers(
    demands: Iterable[Demand], *, is_known: Callable[[str, str], bool]
) -> tuple[Demand, ...]:
    """Give those demands whose file *is_known* does not know by its path and hash."""
    return tuple(
        demand for demand in demands if not is_known(str(demand.file), hash_of(demand.text))
    )


def obstacles(strange: Iterable[Demand], *, is_fenced: bool) -> tuple[str, ...]:
    """Say what stands in the way of *strange* demands: those of files that are not the user's."""
    if is_fenced:
        return ()
    return tuple(
        f"{trust_command(demand.file)} has to be run first, by a person who has read that file: "
        f"{demand} in it are neither yours nor trusted, and no fence is active here"
        for demand in strange
    )


def trust_command(file: Path) -> str:
    """Write the command that trusts *file*, for a shell."""
    return f"kimi-mcp trust {shlex.quote(str(file))}"
