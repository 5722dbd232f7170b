"""A plan flattened into pieces, and what is read off them. No decision is made here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from markdown_it.token import Token

from kimi_mcp.spec.entries import Operation


@dataclass(frozen=True, slots=True)
class DraftFile:
    """A file that a plan names; *operation* is None where the plan does not say what happens."""

    operation: Operation | None
    path: str
    target: str | None = None


class Piece(NamedTuple):
    """A paragraph, heading or fence of a plan; `start` to `stop` are its lines."""

    start: int
    stop: int
    text: str
    is_fence: bool = False
    is_heading: bool = False
    is_item: bool = False
    info: str = ""


@dataclass(slots=True)
class Reading:
    """What was read, and the lines that said nothing else."""

    entries: list[DraftFile] = field(default_factory=list[DraftFile])
    checks: list[str] = field(default_factory=list[str])
    prose: list[str] = field(default_factory=list[str])
    failing: set[str] = field(default_factory=set[str])
    spent: set[int] = field(default_factory=set[int])

    @property
    def files(self) -> tuple[DraftFile, ...]:
        """The files, each once; one whose operation is said wins over one where it is not."""
        best: dict[str, DraftFile] = {}
        for entry in self.entries:
            if entry.path not in best or best[entry.path].operation is None:
                best[entry.path] = entry
        return tuple(best.values())

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands, each once, in the order of the plan."""
        return tuple(dict.fromkeys(self.checks))

    @property
    def manual(self) -> tuple[str, ...]:
        """The checks in prose, each once."""
        return tuple(dict.fromkeys(self.prose))


def pieces(tokens: Sequence[Token]) -> Iterator[Piece]:
    """Flatten a syntax tree into the pieces that carry text, in the order of the plan."""
    for at, token in enumerate(tokens):
        if token.map is None:
            continue
        start, stop = token.map
        if token.type == "fence":
            info = token.info.strip().split(" ")[0].lower()
            yield Piece(start, stop, token.content, is_fence=True, info=info)
        elif token.type == "inline":
            parents = {t.type for t in tokens[max(0, at - 2) : at]}
            yield Piece(
                start,
                stop,
                token.content,
                is_heading="heading_open" in parents,
                is_item="list_item_open" in parents,
            )
