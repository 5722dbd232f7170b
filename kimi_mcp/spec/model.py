r"""A spec as values: what the tasks are, and the text they were read from.

Equality is about meaning. Beside its values a parsed spec keeps its *layout*, the text it came from
cut into parts; a part's text stands as long as the values it says are still the spec's values, so
`dataclasses.replace(task, title=…)` rewrites one line and leaves every other byte. A spec made from
values alone has no layout and is written in the canonical form.

Free text is kept with `\n` line ends and without blank lines around it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kimi_mcp.errors import Refused, SpecInvalid, nearest
from kimi_mcp.spec import structure
from kimi_mcp.spec.entries import Check, Command, FileEntry, Manual, Operation

__all__ = [
    "Block",
    "Check",
    "Command",
    "FileEntry",
    "Manual",
    "Operation",
    "Part",
    "Section",
    "Spec",
    "Task",
]

TASK_LEVELS = 3
SECTION_LEVELS = 2
KNOWN_SECTIONS = ("goal", "context", "out of scope", "tasks")


class Part(NamedTuple):
    """A piece of a spec's text and the values it says."""

    kind: str
    text: str
    values: tuple[object, ...] = ()
    is_fresh: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A `Label:` block of a task that the format does not know; it is kept and passed on."""

    label: str
    text: str

    def __post_init__(self) -> None:
        """Refuse a label that would be read as something else."""
        found = structure.label(f"{self.label}:")
        if not found or found.is_known or found.name != self.label:
            message = f"`{self.label}:` cannot be a label of its own; use one to four plain words"
            raise SpecInvalid(message)
        object.__setattr__(self, "text", structure.plain(self.text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A `##` section that the format does not know; it is kept."""

    title: str
    text: str

    def __post_init__(self) -> None:
        """Refuse a title that would be read as something else."""
        title = " ".join(self.title.split())
        if not title or title.lower() in KNOWN_SECTIONS:
            message = f"`## {title}` cannot be a section of its own; give it another title"
            raise SpecInvalid(message)
        object.__setattr__(self, "title", title)
        object.__setattr__(self, "text", structure.plain(self.text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One unit of work for one Kimi.

    *preface* is prose between the heading and the first label. *budget* is a wish in steps.
    """

    number: int
    title: str
    is_marked_independent: bool = False
    preface: str = ""
    depends_on: tuple[int, ...] = ()
    files: tuple[FileEntry, ...] = ()
    requirements: str = ""
    verification: tuple[Check, ...] = ()
    budget: int | None = None
    others: tuple[Block, ...] = ()
    layout: tuple[Part, ...] = field(default=(), compare=False, repr=False)
    line: int | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Bring the texts to the form in which they are kept."""
        if self.number < 0 or min(self.depends_on, default=0) < 0:
            message = f"task {self.number}: task numbers are 0 or more"
            raise SpecInvalid(message)
        if self.budget is not None and self.budget < 1:
            message = f"task {self.number}: a budget is 1 step or more, not {self.budget}"
            raise SpecInvalid(message)
        object.__setattr__(self, "title", " ".join(self.title.split()))
        object.__setattr__(self, "preface", structure.plain(self.preface))
        object.__setattr__(self, "requirements", structure.plain(self.requirements))

    @property
    def commands(self) -> tuple[Command, ...]:
        """The checks that we run."""
        return tuple(check for check in self.verification if isinstance(check, Command))

    @property
    def manual_checks(self) -> tuple[str, ...]:
        """The checks left to the reviewer, prose after a command included."""
        return tuple(
            check.text if isinstance(check, Manual) else f"{check.text}: {check.note}"
            for check in self.verification
            if isinstance(check, Manual) or check.note
        )

    @property
    def writes(self) -> tuple[FileEntry, ...]:
        """The entries that are scope: all but READ."""
        return tuple(entry for entry in self.files if entry.is_write)

    @property
    def section(self) -> str:
        """The task's whole Markdown section, as the file has it."""
        blocks: Mapping[str, tuple[object, ...]] = {
            "heading": (self.number, self.title, self.is_marked_independent),
            "preface": _some(self.preface),
            "depends_on": self.depends_on,
            "files": self.files,
            "requirements": _some(self.requirements),
            "verification": self.verification,
            "budget": () if self.budget is None else (self.budget,),
            "others": self.others,
        }
        return assemble(self.layout, blocks, write=self._canonical)

    def _canonical(self, kind: str) -> str:
        match kind:
            case "heading":
                text = self._heading
            case "preface":
                text = _escaped(self.preface)
            case "depends_on":
                text = f"Depends on: {', '.join(f'Task {n}' for n in self.depends_on)}"
            case "files":
                text = _listed("Files", self.files)
            case "requirements":
                text = f"Requirements:\n{_escaped(self.requirements)}"
            case "verification":
                text = _listed("Verification", self.verification)
            case "budget":
                text = f"Budget: {self.budget} steps"
            case _:
                blocks = (f"{block.label}:\n{_escaped(block.text)}" for block in self.others)
                text = "\n\n".join(block.rstrip("\n") for block in blocks)
        return text

    @property
    def _heading(self) -> str:
        mark = f" {structure.MARK}" if self.is_marked_independent else ""
        title = f" {structure.escape_mark(self.title)}" if self.title else ""
        return f"### Task {self.number}{':' if title or mark else ''}{title}{mark}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """A whole spec; `render.render` writes it.

    *source* is the plan's file name and *source_hash* its hash; *base* a commit; *profile* and
    *budget* (steps) are wishes. *from_plan* holds what `author` remembers of the plan's own values.
    """

    number: int | None
    title: str
    source: str | None = None
    source_hash: str | None = None
    base: str | None = None
    profile: str | None = None
    budget: int | None = None
    from_plan: tuple[tuple[str, str], ...] = ()
    preface: str = ""
    goal: str = ""
    context: str = ""
    out_of_scope: str = ""
    tasks: tuple[Task, ...] = ()
    sections: tuple[Section, ...] = ()
    layout: tuple[Part, ...] = field(default=(), compare=False, repr=False)

    def __post_init__(self) -> None:
        """Bring the texts to the form in which they are kept."""
        if self.number is not None and self.number < 0:
            message = f"a spec's number is 0 or more, not {self.number}"
            raise SpecInvalid(message)
        object.__setattr__(self, "title", " ".join(self.title.split()))
        for name in ("source", "source_hash", "base", "profile"):
            object.__setattr__(self, name, getattr(self, name) or None)
        for name in ("preface", "goal", "context", "out_of_scope"):
            object.__setattr__(self, name, structure.plain(getattr(self, name)))

    @property
    def numbers(self) -> tuple[int, ...]:
        """The task numbers in the order of the file."""
        return tuple(task.number for task in self.tasks)

    def task(self, number: int) -> Task:
        """Find a task.

        Raises: `Refused` naming the tasks that there are.
        """
        for task in self.tasks:
            if task.number == number:
                return task
        known = nearest(str(number), map(str, self.numbers), limit=10)
        message = f"no task {number} in this spec; its tasks are: {known}"
        raise Refused(message)


def assemble(
    layout: Sequence[Part],
    values: Mapping[str, tuple[object, ...]],
    *,
    write: Callable[[str], str],
) -> str:
    """Join the parts whose values stand, and *write* the others anew in their place.

    The order of *values* is the canonical order; a part of a kind that it does not name is kept.
    """
    eol = "\r\n" if any("\r\n" in part.text for part in layout) else "\n"
    pieces: list[Part] = []
    for part in layout:
        said = tuple(value for p in layout if p.kind == part.kind for value in p.values)
        if said == values.get(part.kind, said):
            pieces.append(part)
        elif values[part.kind] and all(piece.kind != part.kind for piece in pieces):
            tail = part.text[len(part.text.rstrip()) :]
            pieces.append(Part(part.kind, write(part.kind).replace("\n", eol) + tail))
    order = list(values)
    for kind in order:
        if values[kind] and all(piece.kind != kind for piece in pieces):
            earlier = order[: order.index(kind)]
            at = max((n for n, p in enumerate(pieces, 1) if p.kind in earlier), default=0)
            fresh = write(kind).replace("\n", eol) + eol
            pieces.insert(at, Part(kind, fresh, is_fresh=True))
    return _joined(pieces, eol=eol)


def _joined(pieces: Iterable[Part], *, eol: str) -> str:
    """Join parts, with a blank line around the fresh ones and after an unended line."""
    texts: list[str] = []
    before: Part | None = None
    for piece in pieces:
        if before and not before.text.endswith("\n"):
            texts.append(eol * 2)
        elif before and (before.is_fresh or piece.is_fresh) and not _ends_blank(before.text):
            texts.append(eol)
        texts.append(piece.text)
        before = piece
    return "".join(texts)


def _ends_blank(text: str) -> bool:
    return text.replace("\r\n", "\n").endswith("\n\n")


def _some(text: str) -> tuple[str, ...]:
    return (text,) if text else ()


def _escaped(text: str) -> str:
    return structure.escape(text, levels=TASK_LEVELS)


def _listed(label: str, entries: Sequence[object]) -> str:
    return "\n".join([f"{label}:", *(f"- {entry}" for entry in entries)])
