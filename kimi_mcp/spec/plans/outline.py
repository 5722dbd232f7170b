"""A plan's syntax tree as an outline: sections, list items and table rows with their lines.

The only module of this room that knows the Markdown parser. Inline text is not parsed: that halves
the time, and what is read off lines needs none of it. A paragraph that is one bold line and bears a
numbered label is a heading in all but the mark, and is one here.
"""

# ruff: noqa: RUF001  # plans are written with these signs

import bisect
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from markdown_it import MarkdownIt
from markdown_it.token import Token

from kimi_mcp.spec.plans import labels
from kimi_mcp.spec.plans.labels import Label
from kimi_mcp.spec.plans.matter import front_matter
from kimi_mcp.spec.plans.shapes import Item, Piece, Row, Section

_Part = TypeVar("_Part")

BOLD_LEVEL = 7
TAG_LEVEL = 8

_BOLD = re.compile(r"(?:\*\*|__)[^*\n]+(?:\*\*|__)[:：]?(?:[ \t]*[^\w\s*]*)")
_KEY_VALUE = re.compile(r"[\w\- ]+:(?:\s.*)?")
_CHECKBOX = re.compile(r"\[([ xX])\](?:\s|$)")
_TAG = re.compile(r"[ \t]*<task\b[^>]*>|[ \t]*</task>", re.IGNORECASE)
_SUMMARY = re.compile(r"<summary>(.+?)</summary>", re.IGNORECASE)
_TAG_NAME = re.compile(r"<name>(.*?)</name>", re.IGNORECASE | re.DOTALL)


@dataclass(slots=True)
class Outline:
    """A plan's lines and what they are; lines are counted from 0."""

    lines: list[str]
    front: dict[str, str]
    first: int
    title: str = ""
    sections: list[Section] = field(default_factory=list[Section])
    items: list[Item] = field(default_factory=list[Item])
    rows: list[Row] = field(default_factory=list[Row])
    pieces: list[Piece] = field(default_factory=list[Piece])

    def text(self, start: int, stop: int) -> str:
        """Give the lines from *start* to *stop* (exclusive)."""
        return "\n".join(self.lines[start:stop])

    def items_in(self, start: int, stop: int) -> list[Item]:
        """Give the list items that begin between two lines."""
        return _between(self.items, start, stop, key=lambda item: item.start)

    def rows_in(self, start: int, stop: int) -> list[Row]:
        """Give the table rows between two lines."""
        return _between(self.rows, start, stop, key=lambda row: row.line)

    def pieces_in(self, start: int, stop: int) -> list[Piece]:
        """Give the pieces that begin between two lines."""
        return _between(self.pieces, start, stop, key=lambda piece: piece.start)

    def ancestors(self, section: int | None) -> Iterator[Section]:
        """Give a section and those around it, the innermost first."""
        while section is not None:
            found = self.sections[section]
            yield found
            section = found.parent


def _between(
    parts: list[_Part], start: int, stop: int, *, key: Callable[[_Part], int]
) -> list[_Part]:
    at = bisect.bisect_left(parts, start, key=key)
    return parts[at : bisect.bisect_left(parts, stop, key=key)]


def outline(text: str) -> Outline:
    """Read the outline of a plan; any text has one."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd").split("\n")
    front, first = front_matter(lines)
    parser = MarkdownIt("commonmark").enable("table").disable(["inline", "text_join"])
    tokens = parser.parse("\n" * first + "\n".join(lines[first:]))
    result = Outline(lines, front, first)
    _sections(result, tokens)
    _walk(result, tokens)
    return result


class _Head(NamedTuple):
    level: int
    line: int
    below: int
    text: str
    label: Label | None


def _heads(outline: Outline, tokens: Sequence[Token]) -> Iterator[_Head]:
    for at, token in enumerate(tokens):
        if token.map is None or token.level != 0:
            continue
        line, below = token.map
        if token.type == "heading_open":
            text = tokens[at + 1].content.strip()
            is_front = token.markup == "-" and all(map(_KEY_VALUE.fullmatch, text.split("\n")))
            label = labels.read(text)
            if not is_front or (label and label.rank >= labels.Rank.UNIT):
                yield _Head(int(token.tag[1:]), line, below, text, label)
        elif token.type == "paragraph_open":
            text = tokens[at + 1].content.strip()
            label = labels.read(text) if _BOLD.fullmatch(text) else None
            if label:
                yield _Head(BOLD_LEVEL, line, below, text, label)
        elif token.type == "html_block":
            yield from _tags(outline, line, below)


def _tags(outline: Outline, start: int, stop: int) -> Iterator[_Head]:
    """Read `<task>` and `<summary>` elements: some plans are written in them."""
    for line in range(start, stop):
        summary = _SUMMARY.search(outline.lines[line])
        label = labels.read(summary[1]) if summary else None
        if summary and label and label.rank >= labels.Rank.UNIT:
            yield _Head(TAG_LEVEL, line, line + 1, summary[1].strip(), label)
        if _TAG.match(outline.lines[line]) and "</" not in outline.lines[line][:8]:
            name = _TAG_NAME.search(outline.text(line, min(line + 6, stop)))
            said = name[1].strip() if name else ""
            read = labels.read(said)
            label = read or Label(labels.Rank.TASK, "task", "", labels.clean(said))
            yield _Head(TAG_LEVEL, line, line + 1, said, label._replace(rank=labels.Rank.TASK))


def _sections(outline: Outline, tokens: Sequence[Token]) -> None:
    heads = list(_heads(outline, tokens))
    firsts = [head for head in heads if head.level == 1]
    is_titled = len(firsts) == 1 and not (firsts[0].label and len(heads) == 1)
    open_: list[Section] = []
    for head in heads:
        while open_ and open_[-1].level >= head.level:
            open_.pop().end = head.line
        parent = open_[-1].index if open_ else None
        section = Section(
            len(outline.sections),
            head.level,
            head.line,
            head.below,
            len(outline.lines),
            head.text,
            parent,
            head.label,
        )
        outline.sections.append(section)
        open_.append(section)
    if is_titled:
        outline.title = labels.clean(firsts[0].text)


def _walk(outline: Outline, tokens: Sequence[Token]) -> None:
    heads = iter(outline.sections)
    coming = next(heads, None)
    section: int | None = None
    lists: list[tuple[int, bool]] = []  # group and whether it is ordered
    rows = _Rows(outline)
    depth = 0
    for at, token in enumerate(tokens):
        if token.map is not None:
            while coming is not None and coming.line <= token.map[0]:
                section, coming = coming.index, next(heads, None)
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                lists.append((at, token.type == "ordered_list_open"))
            case "bullet_list_close" | "ordered_list_close":
                lists.pop()
            case "blockquote_open":
                depth += 1
            case "blockquote_close":
                depth -= 1
            case "list_item_open" if len(lists) == 1 and depth == 0 and token.map:
                outline.items.append(_item(tokens, at, lists[0], section))
            case _ if not rows.take(token, section):
                _piece(outline, tokens, at)
            case _:
                pass


def _item(tokens: Sequence[Token], at: int, parent: tuple[int, bool], section: int | None) -> Item:
    token = tokens[at]
    start, stop = token.map or [0, 0]
    text = tokens[at + 2].content if tokens[at + 1].type == "paragraph_open" else ""
    ticked = _CHECKBOX.match(text)
    ordinal = int(token.info) if parent[1] and token.info.isdecimal() else None
    is_ticked = None if ticked is None else ticked[1] != " "
    return Item(start, stop, text, ordinal, is_ticked, section, parent[0])


class _Rows:
    """Collects the tables, cell by cell."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self._header: tuple[str, ...] = ()
        self._cells: list[str] = []
        self._line = 0
        self._group = 0
        self._is_inside = False

    def take(self, token: Token, section: int | None) -> bool:
        """Take a token of a table; tell whether it was one."""
        match token.type:
            case "table_open":
                self._group, self._header, self._is_inside = (
                    token.map[0] if token.map else 0,
                    (),
                    True,
                )
            case "table_close":
                self._is_inside = False
                return True
            case "tr_open":
                self._cells, self._line = [], token.map[0] if token.map else 0
            case "inline" if self._is_inside:
                self._cells.append(token.content.strip())
            case "tr_close" if not self._header:
                self._header = tuple(self._cells)
            case "tr_close":
                cells = tuple(self._cells)
                self._outline.rows.append(
                    Row(self._line, cells, self._header, section, self._group)
                )
            case _:
                pass
        return self._is_inside


def _piece(outline: Outline, tokens: Sequence[Token], at: int) -> None:
    token = tokens[at]
    if token.map is None:
        return
    start, stop = token.map
    if token.type == "fence":
        info = token.info.strip().split(" ")[0].lower()
        outline.pieces.append(Piece(start, stop, token.content, is_fence=True, info=info))
    elif token.type == "inline":
        parents = {t.type for t in tokens[max(0, at - 2) : at]}
        outline.pieces.append(
            Piece(
                start,
                stop,
                token.content,
                is_heading="heading_open" in parents,
                is_item="list_item_open" in parents,
            )
        )
    elif token.type == "html_block":
        outline.pieces.append(Piece(start, stop, token.content))
