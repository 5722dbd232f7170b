"""What Claude answers in `tasks`, put into a spec. Pure but for the question whether a path exists.

An answer replaces just the fields that it names. With a number that the spec has it changes that
task; without one it changes the task of the same title, or adds one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from kimi_mcp.errors import Refused, nearest
from kimi_mcp.spec.entries import (
    Check,
    Command,
    FileEntry,
    Manual,
    Operation,
    names_operation,
    read_check,
    read_file,
)
from kimi_mcp.spec.model import Spec, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskAnswer:
    """One entry of the `tasks` argument; None means: leave it as it is."""

    task: int | None = None
    title: str | None = None
    files: tuple[str, ...] | None = None
    requirements: tuple[str, ...] | str | None = None
    verification: tuple[str, ...] | None = None
    depends_on: tuple[int, ...] | None = None


def apply(spec: Spec, answers: Sequence[TaskAnswer], *, exists: Callable[[str], bool]) -> Spec:
    """Put *answers* into *spec*; a bare path is MODIFY where it *exists*, else CREATE.

    Raises: `Refused` when an answer fits no task and has no title to make one; `SpecInvalid` when
        an entry is not of the format.
    """
    for answer in answers:
        spec = _applied(spec, answer, exists)
    return spec


def _applied(spec: Spec, answer: TaskAnswer, exists: Callable[[str], bool]) -> Spec:
    task = _meant(spec, answer)
    if task is None:
        if not (answer.title or "").strip():
            known = nearest(str(answer.task), map(str, spec.numbers), limit=10)
            which = (
                "an answer" if answer.task is None else f"no task {answer.task} in this spec: it"
            )
            message = f"{which} needs a `title` to become a new task; tasks there are: {known}"
            if not spec.tasks:
                message += "; say which spec to update in `spec`"
            raise Refused(message)
        number = answer.task if answer.task is not None else max(spec.numbers, default=0) + 1
        task = Task(number=number, title=answer.title or "")
        spec = replace(spec, tasks=(*spec.tasks, task))
    new = _answered(spec, task, answer, exists)
    return replace(spec, tasks=tuple(new if other is task else other for other in spec.tasks))


def _meant(spec: Spec, answer: TaskAnswer) -> Task | None:
    for task in spec.tasks:
        if answer.task is not None:
            if task.number == answer.task:
                return task
        elif answer.title and task.title.casefold() == " ".join(answer.title.split()).casefold():
            return task
    return None


def _answered(spec: Spec, task: Task, answer: TaskAnswer, exists: Callable[[str], bool]) -> Task:
    new = task if answer.title is None else replace(task, title=answer.title)
    if answer.files is not None:
        made = _made_by_others(spec, task)
        entries = (_file(text, lambda path: path in made or exists(path)) for text in answer.files)
        new = replace(new, files=tuple(entries))
    if answer.requirements is not None:
        new = replace(new, requirements=_requirements(answer.requirements))
    if answer.verification is not None:
        new = replace(
            new, verification=tuple(read_verification(text) for text in answer.verification)
        )
    if answer.depends_on is not None:
        new = replace(new, depends_on=answer.depends_on)
    return new


def _made_by_others(spec: Spec, task: Task) -> set[str]:
    """A path that another task creates is there for this one to modify."""
    return {
        entry.path
        for other in spec.tasks
        if other.number < task.number
        for entry in other.files
        if entry.operation is Operation.CREATE
    }


def _file(text: str, exists: Callable[[str], bool]) -> FileEntry:
    text = text.strip()
    if names_operation(text):
        return read_file(text)
    entry = read_file(text, default=Operation.MODIFY)
    return entry if exists(entry.path) else replace(entry, operation=Operation.CREATE)


def _requirements(answer: tuple[str, ...] | str) -> str:
    if isinstance(answer, str):
        return answer
    return "\n".join("- " + "\n  ".join(text.strip().split("\n")) for text in answer)


def read_verification(text: str) -> Check:
    """Read one `verification` string: a command, unless it begins with `manual:`.

    Raises: `SpecInvalid` for what is neither.
    """
    text = text.strip()
    if text[:7].lower() == "manual:":
        return Manual(text=text[7:])
    read = read_check(text)
    return read if isinstance(read, Command) else Command(text=text)
