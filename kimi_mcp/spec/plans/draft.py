"""What a plan says, as values; empty where it says nothing."""

from dataclasses import dataclass, field

from kimi_mcp.spec.entries import Operation


@dataclass(frozen=True, slots=True)
class DraftFile:
    """A file that a plan names; *operation* is None where the plan does not say what happens."""

    operation: Operation | None
    path: str
    target: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftTask:
    """What a plan says about one task.

    *label* is the plan's own number. *start* and *stop* are its lines, from 1, both inclusive.
    *is_done* work is ticked off, *is_deferred* work put off by the plan itself: neither is
    dispatched. *is_marked_parallel* is the author's word, which lint compares with the facts.
    """

    number: int
    title: str
    label: str = field(default="", compare=False)
    start: int = field(default=0, compare=False)
    stop: int = field(default=0, compare=False)
    files: tuple[DraftFile, ...] = ()
    requirements: str = ""
    commands: tuple[str, ...] = ()
    manual: tuple[str, ...] = ()
    depends_on: tuple[int, ...] = ()
    budget: int | None = None
    is_done: bool = False
    is_deferred: bool = False
    is_marked_parallel: bool = False

    @property
    def is_open(self) -> bool:
        """Whether there is something to dispatch."""
        return not (self.is_done or self.is_deferred)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncovered:
    """Lines of a plan, from 1 and inclusive, that ended in no task, and what they are."""

    start: int
    stop: int
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a plan says.

    *questions* are lines, from 1 and inclusive, with questions that the plan leaves open. *refusal*
    says why there is nothing to dispatch, where *tasks* has nothing open.
    """

    title: str = ""
    goal: str = ""
    context: str = ""
    out_of_scope: str = ""
    tasks: tuple[DraftTask, ...] = ()
    uncovered: tuple[Uncovered, ...] = ()
    questions: tuple[tuple[int, int], ...] = ()
    refusal: str | None = None
