"""Two delivered tasks that do not merge, and having one of them settle it. Pure.

The task that is revised starts with the other one's work merged into its clone, both sides of every
conflict in the files between git's markers. From then on it is compared with the other one's
commit, so that what it answers for stays its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kimi_mcp.quoting.quotes import quoted
from kimi_mcp.workspace.merge import Lines

NAMED_FILES = 5
NAMED_PLACES = 4  # of each file
NAME_CHARS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Rival:
    """The delivered task that the one at work conflicts with."""

    task: int
    commit: str
    tree: str  # both together, conflicts marked
    places: str  # where, in words


def told_places(places: Mapping[str, Sequence[Lines]]) -> str:
    """Name the files in conflict, each with its lines: `"a.py" (lines 3-9)`."""
    named = [
        f"{quoted(path, limit=NAME_CHARS)}{_lines(lines)}"
        for path, lines in list(places.items())[:NAMED_FILES]
    ]
    more = len(places) - NAMED_FILES
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")


def instruction(rival: Rival, feedback: str) -> str:
    """Word what Kimi is told beside the reviewer's *feedback*."""
    return (
        f"{feedback}\n\n"
        f"Your work and that of task {rival.task} conflict. The files now hold both: "
        f"{rival.places}, each place between the markers <<<<<<< (yours) and >>>>>>> (the other "
        "task's). Make both tasks' requirements hold there and remove every marker. Leave the "
        "other task's work as it is everywhere else."
    )


def _lines(lines: Sequence[Lines]) -> str:
    if not lines:
        return ""
    told = ", ".join(f"{first}-{last}" for first, last in lines[:NAMED_PLACES])
    return f" (lines {told}{', …' if len(lines) > NAMED_PLACES else ''})"
