"""Which series of a plan is its tasks, or why none is. Pure."""

# ruff: noqa: RUF001  # plans are written with these signs

import bisect
import re
from collections.abc import Sequence
from typing import NamedTuple

from kimi_mcp.spec.mentions import SPAN, path_in
from kimi_mcp.spec.plans import roles, words
from kimi_mcp.spec.plans.genre import Genre, genre, is_named_plan
from kimi_mcp.spec.plans.outline import Outline
from kimi_mcp.spec.plans.parts import Entry, Series
from kimi_mcp.spec.plans.roles import Role
from kimi_mcp.spec.plans.series import propose

LEAST = 50
_SHORT = 2_000
_SHORT_SENTENCE = 40
_SENTENCE = re.compile(r"[.!?;,:。！？；，：]\s*|\n")
_WORK = words.any_of(words.WORK)
_WORK_LAST = re.compile(
    r"(?:修复|实现|重构|编写|新增|删除|修改|修正|実装|追加|削除|変更|구현|수정|추가|삭제|작성)"
)
_PREFIX = re.compile(r"(?:(?:implementation\s+|dev\s+)?plan\s*[:—\u2013-]\s*)", re.IGNORECASE)
_UNLIKELY = 20  # less for named parts of a report or a prompt
_SELDOM = 45  # less for the steps that a prompt tells to take, which are not tasks
_HARDLY = 60  # less for anything else in it
_NAMED = 80  # at least this weigh parts that a heading calls tasks
_INNER = 60  # less for a series inside another: steps of a task are no tasks

_SUFFIX = re.compile(
    r"\s*[—\u2013:：-]?\s*(?:implementation plan|plan|umsetzungsplan"
    r"|实现计划|实施计划|開発計画|実装計画)$",
    re.IGNORECASE,
)


class Chosen(NamedTuple):
    """The tasks to be, and the series that they are; or the reason why there are none."""

    series: Series | None
    refusal: str | None


def choose(outline: Outline) -> Chosen:
    """Take the series that weighs most."""
    proposed = propose(outline)
    weighed = sorted(
        ((_weight(series, proposed, outline), series) for series in proposed),
        key=lambda pair: (-pair[0], -len(pair[1].entries)),
    )
    if weighed and weighed[0][0] >= LEAST:
        return Chosen(weighed[0][1], None)
    whole = _whole(outline) if genre(outline) is Genre.PLAN else None
    return Chosen(whole, None if whole else _reason(outline))


def plan_title(outline: Outline) -> str:
    """Give the plan's title without the word plan before it."""
    title = _PREFIX.sub("", outline.title, count=1)
    return _SUFFIX.sub("", title) or title


def _whole(outline: Outline) -> Series | None:
    """Take a plan that names files and has no parts as one task."""
    is_plan = is_named_plan(outline)
    has_work = any(
        roles.role(section.text) in {Role.TASKS, Role.ORDER} and section.level > 1
        for section in outline.sections
    )
    names_files = any(path_in(s[2]) for line in outline.lines for s in SPAN.finditer(line))
    if not (names_files and (is_plan or has_work)) and not _orders(outline):
        return None
    first = outline.sections[0] if outline.sections else None
    below = first.below if first and first.text and outline.title else outline.first
    title = plan_title(outline) or "The whole plan"
    start = first.line if first and outline.title else outline.first
    entry = Entry(start, below, len(outline.lines), title, None, outline.title)
    return Series(kind="whole", weight=LEAST, entries=(entry,))


def _orders(outline: Outline) -> bool:
    """Tell whether a short text is an order: its title or a sentence of it begins with a verb."""
    text = outline.text(outline.first, len(outline.lines))
    if len(text) > _SHORT or len(outline.sections) > 1 or outline.front:
        return False
    said = (p.text for p in outline.pieces if not p.is_fence)
    starts = (sentence.strip(" *_#\"'") for text in said for sentence in _SENTENCE.split(text))
    return any(_WORK.match(start) or _WORK_LAST.search(start[:_SHORT_SENTENCE]) for start in starts)


def _weight(series: Series, others: Sequence[Series], outline: Outline) -> int:
    weight = series.weight
    kind = genre(outline)
    if kind is Genre.REPORT:
        weight -= _UNLIKELY if series.word and not _is_mostly_done(series) else _HARDLY
    elif kind is Genre.PROMPT:
        weight -= _SELDOM if series.word else _HARDLY
    elif kind is Genre.DESIGN and not series.word and series.weight < _NAMED:
        weight -= _HARDLY
    around = [other for other in others if _holds(other, series)]
    if around and (not series.is_firm or any(outer.is_firm for outer in around)):
        return weight - _INNER
    return max([weight, *(outer.weight + 1 for outer in around)])


def _holds(outer: Series, inner: Series) -> bool:
    """Tell whether *inner* lies inside the entries of *outer*, most of it."""
    if outer is inner or outer.weight < LEAST:
        return False
    around = sorted(outer.entries, key=_start)
    held = 0
    for entry in inner.entries:
        at = bisect.bisect_left(around, entry.start, key=_start) - 1
        held += at >= 0 and entry.stop <= around[at].stop
    return held * 2 > len(inner.entries)


def _start(entry: Entry) -> int:
    return entry.start


def _is_mostly_done(series: Series) -> bool:
    return sum(entry.is_done for entry in series.entries) * 2 > len(series.entries)


def _reason(outline: Outline) -> str:
    if not any(line.strip() for line in outline.lines):
        return "the plan is empty"
    kind = genre(outline)
    if kind is Genre.PLAN and not outline.sections and not outline.items:
        return "it is prose without headings or lists"
    return kind.value
