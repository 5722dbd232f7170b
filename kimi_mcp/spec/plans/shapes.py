"""The parts of a plan's outline: sections, list items, table rows and pieces of text."""

from dataclasses import dataclass
from typing import NamedTuple

from kimi_mcp.spec.plans.labels import Label


@dataclass(slots=True)
class Section:
    """A heading and what stands under it, `line` to `end` (exclusive, subsections included)."""

    index: int
    level: int
    line: int
    below: int
    end: int
    text: str
    parent: int | None
    label: Label | None


class Item(NamedTuple):
    """A list item of the outermost list; *ordinal* is None in a bulleted one."""

    start: int
    stop: int
    text: str
    ordinal: int | None
    is_ticked: bool | None
    section: int | None
    group: int


class Row(NamedTuple):
    """A table row; *header* are the cells of the first."""

    line: int
    cells: tuple[str, ...]
    header: tuple[str, ...]
    section: int | None
    group: int


class Piece(NamedTuple):
    """A paragraph, heading, table cell line or fence; `start` to `stop` are its lines."""

    start: int
    stop: int
    text: str
    is_fence: bool = False
    is_heading: bool = False
    is_item: bool = False
    info: str = ""
