"""The texts of a plan around its tasks: goal, context, what is out of scope, and the rest. Pure."""

# ruff: noqa: RUF001  # plans are written with these signs

import bisect
import re
from collections.abc import Iterator, Sequence

from kimi_mcp.spec.plans import roles, words
from kimi_mcp.spec.plans.draft import Uncovered
from kimi_mcp.spec.plans.outline import Outline
from kimi_mcp.spec.plans.roles import Role
from kimi_mcp.spec.plans.shapes import Section
from kimi_mcp.spec.structure import plain

Span = tuple[int, int]

_QUESTIONS = words.any_of(words.QUESTIONS)
_ASKS = re.compile(r"[?？]\s*(?:$|[*_`)）])|[?？]\s", re.MULTILINE)
TEXTS = (Role.GOAL, Role.CONTEXT, Role.OUT_OF_SCOPE)
_RULE = re.compile(r"\s*(?:-{3,}|\*{3,}|_{3,})\s*")
_LABELLED = re.compile(r"\*\*([^*\n]{2,40}?)[:：]?\*\*\s*[:：]?\s*(.*)", re.DOTALL)


def bare(text: str) -> str:
    """Drop blank lines and thematic breaks around *text*."""
    lines = plain(text).split("\n")
    while lines and (_RULE.fullmatch(lines[-1]) or not lines[-1].strip()):
        lines.pop()
    while lines and (_RULE.fullmatch(lines[0]) or not lines[0].strip()):
        del lines[0]
    return plain("\n".join(lines))


def texts(
    outline: Outline, tasks: Sequence[Span], *, wanted: Sequence[Role] = TEXTS
) -> tuple[dict[Role, str], list[Span]]:
    """Give the texts *wanted*, and the lines that they take."""
    said: dict[Role, list[str]] = {role: [] for role in TEXTS}
    taken: list[Span] = []
    for section, end in _free(outline, tasks):
        role = roles.role(section.text)
        if role in wanted and role and not _within(section.line, taken):
            said[role].append(outline.text(section.below, end))
            taken.append((section.line, end))
    for start, stop, role, text in _opening(outline, tasks):
        if role in wanted and role:
            said[role].append(text)
            taken.append((start, stop))
        elif role is None and Role.GOAL in wanted and not said[Role.GOAL]:
            said[Role.GOAL].append(text)
            taken.append((start, stop))
    return {
        role: "\n\n".join(filter(None, map(bare, parts))) for role, parts in said.items()
    }, taken


def uncovered(outline: Outline, covered: Sequence[Span]) -> Iterator[Uncovered]:
    """Give the sections of which lines ended nowhere."""
    known = {line for start, stop in covered for line in range(start, stop)}
    ends = [*(section.line for section in outline.sections[1:]), len(outline.lines)]
    for section, end in zip(outline.sections, ends, strict=False):
        left = [
            n
            for n in range(section.below, end)
            if n not in known and outline.lines[n].strip() and not _RULE.fullmatch(outline.lines[n])
        ]
        if left:
            role = next(
                (found for s in outline.ancestors(section.index) if (found := roles.role(s.text))),
                None,
            )
            said = role.value if role else "other"
            yield Uncovered(start=left[0] + 1, stop=left[-1] + 1, role=said)


def questions(outline: Outline, tasks: Sequence[Span]) -> Iterator[Span]:
    """Find sections that ask: with an unticked box or a question mark; lines from 1, inclusive."""
    inside = {line for start, stop in tasks for line in range(start, stop)}
    for section in outline.sections:
        is_title = section.level == 1 and bool(outline.title)
        if is_title or section.line in inside or not _QUESTIONS.search(section.text):
            continue
        items = outline.items_in(section.below, section.end)
        said = outline.text(section.below, section.end)
        is_open = any(item.is_ticked is False for item in items)
        if is_open or (_ASKS.search(said) and not (items and all(i.is_ticked for i in items))):
            yield section.line + 1, _last(outline, section.line, section.end)


def _last(outline: Outline, start: int, stop: int) -> int:
    while stop > start + 1 and (
        not outline.lines[stop - 1].strip() or _RULE.fullmatch(outline.lines[stop - 1])
    ):
        stop -= 1
    return stop


def _free(outline: Outline, tasks: Sequence[Span]) -> Iterator[tuple[Section, int]]:
    """Give the sections outside the tasks, and where each ends, or its first task begins."""
    starts = sorted(start for start, _ in tasks)
    inside = {line for start, stop in tasks for line in range(start, stop)}
    for section in outline.sections:
        is_title = section.level == 1 and bool(outline.title)
        at = bisect.bisect_left(starts, section.line)
        end = min(section.end, starts[at]) if at < len(starts) else section.end
        if not is_title and section.line not in inside:
            yield section, end


def _opening(
    outline: Outline, tasks: Sequence[Span]
) -> Iterator[tuple[int, int, Role | None, str]]:
    """Read what stands under the title, before the next heading: labelled lines and free text."""
    first = outline.sections[0] if outline.sections else None
    start = first.below if first and outline.title else outline.first
    heads = [s.line for s in outline.sections if s.line >= start]
    stop = min([*heads, *(begin for begin, _ in tasks if begin >= start), len(outline.lines)])
    free: list[str] = []
    for piece in outline.pieces:
        if not start <= piece.start < stop or piece.is_heading:
            continue
        found = _LABELLED.match(piece.text)
        if found and not piece.is_fence:
            role = roles.role(found[1])
            if role in TEXTS:
                text = piece.text if role is Role.CONTEXT else found[2]
                yield piece.start, piece.stop, role, text
        elif not piece.is_item and not piece.text.startswith("<"):
            free.append(outline.text(piece.start, piece.stop))
    if free:
        yield start, stop, None, "\n\n".join(free)


def _within(line: int, spans: Sequence[Span]) -> bool:
    return any(start <= line < stop for start, stop in spans)
