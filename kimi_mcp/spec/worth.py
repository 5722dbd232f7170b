"""Whether a plan is worth handing over, and what it would cost. Pure.

The threshold is about what a hand-over costs in Claude's turns: reading a spec back, following,
reviewing. One or two files, or less than a hundred lines said about them, are quicker done here.
"""

from collections.abc import Collection
from dataclasses import dataclass

MOST_SMALL_FILES = 2
MOST_SMALL_LINES = 100
STEPS_A_TASK = 3  # a rule of thumb: look around, check, say so
STEPS_A_FILE = 3  # a rule of thumb: at most read, edit, correct


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much there is to do: *files* that are named, *unnamed* tasks that name none."""

    tasks: int
    files: int
    unnamed: int
    lines: int
    """Of what the plan says about the tasks."""

    @property
    def is_worth_it(self) -> bool:
        """Whether Kimi should be proposed."""
        if not self.tasks:
            return False
        return self.files + self.unnamed > MOST_SMALL_FILES or self.lines > MOST_SMALL_LINES

    @property
    def steps(self) -> tuple[int, int]:
        """The least and the most of Kimi's steps that are to be expected."""
        return by_the_rule(tasks=self.tasks, files=self.files + self.unnamed)


def by_the_rule(*, tasks: int, files: int) -> tuple[int, int]:
    """Expect the least and the most steps of *tasks* that write *files*, by the rule of thumb."""
    begun = tasks * STEPS_A_TASK
    return begun + files, begun + files * STEPS_A_FILE


def size_of(tasks: Collection[tuple[Collection[str], str]]) -> Size:
    """Measure tasks, each as the paths that it writes and what is said about it."""
    return Size(
        tasks=len(tasks),
        files=len({path for paths, _ in tasks for path in paths}),
        unnamed=sum(not paths for paths, _ in tasks),
        lines=sum(len(said.splitlines()) for _, said in tasks),
    )
