"""Plan to draft: what a plan's structure says, and holes where it says nothing.

The one module that reads plans, pure and replaceable. It understands headings `Task N` and
`Step N`; plans of other shapes give a draft without tasks. Requirements are the plan's own words;
no path and no command is returned that does not stand in the plan. It raises on no text; the caller
bounds it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

from kimi_mcp.spec import excerpt
from kimi_mcp.spec.pieces import DraftFile, Piece, pieces
from kimi_mcp.spec.structure import plain

_TASK = re.compile(
    r"[^\w]*(task|step)\s+(\d{1,4}(?:\.\d{1,4})*)(?![\w.]*\w)\s*(?:[:.\-—\u2013\uff1a]+\s*|$|\s)(.*)",
    re.IGNORECASE,
)
_DEPENDS = re.compile(
    r"[^\w]*(?:depends\s+on|blocked\s+by|dependenc(?:y|ies))\b[\s:*]*(.*)", re.IGNORECASE
)
_REFERENCE = re.compile(r"(?:(?:task|step)s?\s*|,\s*|and\s+|&\s*|\+\s*)#?(\d[\d.]*)", re.IGNORECASE)
_SECTIONS = {
    "goal": re.compile(r"(?:goals?|objectives?|overview|summary|purpose)\b", re.IGNORECASE),
    "context": re.compile(
        r"(?:context|background|conventions|architecture|constraints)\b", re.IGNORECASE
    ),
    "out_of_scope": re.compile(r"(?:out[ -]of[ -]scope|non-?goals?|not in scope)\b", re.IGNORECASE),
}
_TITLE_PREFIX = re.compile(r"(?:(?:implementation\s+)?plan\s*[:—\u2013-]\s*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftTask:
    """What a plan says about one task; empty where it says nothing."""

    number: int
    title: str
    files: tuple[DraftFile, ...] = ()
    requirements: str = ""
    commands: tuple[str, ...] = ()
    manual: tuple[str, ...] = ()
    depends_on: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a plan says."""

    title: str = ""
    goal: str = ""
    context: str = ""
    out_of_scope: str = ""
    tasks: tuple[DraftTask, ...] = ()


class _Head(NamedTuple):
    """A heading of the plan: its line, the first line below it, its level and text."""

    line: int
    below: int
    level: int
    text: str


class _Found(NamedTuple):
    """A task heading with its number as the plan writes it."""

    head: _Head
    label: str
    title: str


def extract(text: str) -> Draft:
    """Read a plan."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "\ufffd")
    lines = text.split("\n")
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    heads = _heads(tokens)
    found = _task_heads(heads)
    flat = list(pieces(tokens))
    numbers = _numbers(found)
    title = next((head for head in heads if head.level == 1 and not _is_task(head)), None)
    texts = _texts(lines, heads, found, title)
    return Draft(
        title=_TITLE_PREFIX.sub("", title.text, count=1) if title else "",
        goal=texts["goal"],
        context=texts["context"],
        out_of_scope=texts["out_of_scope"],
        tasks=tuple(
            _task(entry, numbers, lines, flat, _end(entry.head, heads, len(lines)))
            for entry in found
        ),
    )


def _heads(tokens: Sequence[Token]) -> list[_Head]:
    return [
        _Head(token.map[0], token.map[1], int(token.tag[1:]), tokens[at + 1].content.strip())
        for at, token in enumerate(tokens)
        if token.type == "heading_open" and token.level == 0 and token.map
    ]


def _is_task(head: _Head) -> bool:
    return bool(_TASK.match(head.text))


def _task_heads(heads: Sequence[_Head]) -> list[_Found]:
    """Find the task headings: `Task` before `Step`, and of nested ones the outermost."""
    for word in ("task", "step"):
        found = [
            _Found(head, match[2], match[3].strip())
            for head in heads
            if (match := _TASK.match(head.text)) and match[1].lower() == word
        ]
        if found:
            level = min(entry.head.level for entry in found)
            return [entry for entry in found if entry.head.level == level]
    return []


def _numbers(found: Sequence[_Found]) -> dict[str, int]:
    """Map the plan's numbers to ours: the same where they are whole and unique, else 1, 2, 3 …."""
    labels = [entry.label for entry in found]
    is_plain = all(label.isdecimal() for label in labels) and len(
        {int(label) for label in labels if label.isdecimal()}
    ) == len(labels)
    if is_plain:
        return {label: int(label) for label in labels}
    return {entry.label: place for place, entry in reversed(list(enumerate(found, 1)))}


def _end(head: _Head, heads: Sequence[_Head], total: int) -> int:
    later = (h.line for h in heads if h.line > head.line and h.level <= head.level)
    return next(later, total)


def _texts(
    lines: Sequence[str], heads: Sequence[_Head], found: Sequence[_Found], title: _Head | None
) -> dict[str, str]:
    """Read the plan's own texts: what stands under the title, and under headings that say so."""
    texts = dict.fromkeys(_SECTIONS, "")
    first_task = min((entry.head.line for entry in found), default=len(lines))
    last_end = _end(found[-1].head, heads, len(lines)) if found else 0
    if title:
        below = (head.line for head in heads if head.line > title.line)
        stop = min(next(below, len(lines)), max(first_task, title.below))
        texts["goal"] = _without_rules("\n".join(lines[title.below : stop]))
    for head in heads:
        if head is title or first_task <= head.line < last_end:
            continue
        for name, pattern in _SECTIONS.items():
            if pattern.match(head.text.lstrip("0123456789.) ")):
                stop = _end(head, heads, len(lines))
                stop = min(stop, first_task) if head.line < first_task else stop
                said = _without_rules("\n".join(lines[head.below : stop]))
                texts[name] = plain(f"{texts[name]}\n\n{said}")
                break
    return texts


def _task(
    found: _Found,
    numbers: dict[str, int],
    lines: Sequence[str],
    flat: Sequence[Piece],
    end: int,
) -> DraftTask:
    inside = [piece for piece in flat if found.head.below <= piece.start < end]
    read = excerpt.read(inside)
    depends, used = _depends_on(inside, numbers, own=numbers[found.label])
    spent = read.spent | used
    words = [lines[n] for n in range(found.head.below, end) if n not in spent]
    return DraftTask(
        number=numbers[found.label],
        title=found.title,
        files=read.files,
        requirements=_without_rules("\n".join(words)),
        commands=read.commands,
        manual=read.manual,
        depends_on=depends,
    )


def _depends_on(
    inside: Sequence[Piece], numbers: dict[str, int], *, own: int
) -> tuple[tuple[int, ...], set[int]]:
    named: list[int] = []
    used: set[int] = set()
    for piece in inside:
        for number, line in _lines(piece):
            match = _DEPENDS.match(line)
            wanted = _REFERENCE.findall(match[1]) if match else []
            known = [numbers[label.rstrip(".")] for label in wanted if label.rstrip(".") in numbers]
            if match and (known or match[1].strip(" *_.").lower() in {"none", "nothing", "-", "—"}):
                named += known
                used.add(number)
    return tuple(n for n in dict.fromkeys(named) if n != own), used


def _lines(piece: Piece) -> Iterator[tuple[int, str]]:
    return enumerate([] if piece.is_fence else piece.text.split("\n"), piece.start)


def _without_rules(text: str) -> str:
    """Drop blank lines and thematic breaks around *text*."""
    text = plain(text)
    while text.rsplit("\n", 1)[-1].strip() in {"---", "***", "___"}:
        text = plain("\n".join(text.split("\n")[:-1]))
    return text
