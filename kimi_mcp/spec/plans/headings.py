"""Rows of like headings: labelled ones, those under a heading that says changes, and work sections.

Bare numbers and letters also number what is no task, so they weigh less where no heading around
them says tasks, and nothing where many of them are context or risks.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from kimi_mcp.spec.mentions import SPAN, path_in
from kimi_mcp.spec.plans import labels, roles, words
from kimi_mcp.spec.plans.labels import Label, Rank
from kimi_mcp.spec.plans.outline import Outline
from kimi_mcp.spec.plans.parts import (
    Series,
    entry_of,
    is_barred,
    is_title,
    outermost,
    place_role,
)
from kimi_mcp.spec.plans.roles import HOLDS_TASKS, NEVER_TASKS, Role
from kimi_mcp.spec.plans.shapes import Section

_WEIGHTS = {
    Rank.TASK: 100,
    Rank.BARRIER: 90,
    Rank.UNIT: 90,
    Rank.ID: 80,
    Rank.PLAIN: 76,
    Rank.OTHER: 65,
}
_LOOSE = 35  # less for a series that no heading calls tasks
_SHOWN = {Rank.ID: 10, Rank.PLAIN: 24, Rank.OTHER: 10}  # … but whose parts name what they change


_WORK = words.any_of(words.WORK)


def labelled(outline: Outline) -> Iterator[Series]:
    """Give the rows of headings whose labels are alike."""
    groups: dict[tuple[object, ...], list[Section]] = defaultdict(list)
    for section in outline.sections:
        label = section.label
        if label is None or label.rank is Rank.NEVER or is_title(outline, section):
            continue
        if label.rank is not Rank.TASK and is_barred(outline, section.parent):
            continue
        groups[_key(outline, section, label)].append(section)
    for sections in groups.values():
        label = sections[0].label
        kept = _free(outline, outermost(sections))
        if label and (len(kept) > 1 or label.rank is Rank.TASK or label.rank is Rank.BARRIER):
            yield _series_of(outline, label, kept)


def _free(outline: Outline, sections: Sequence[Section]) -> list[Section]:
    """Drop from a row of bare numbers what is never a task, and all of it where that is much.

    A document that numbers its sections numbers its context and risks, too.
    """
    label = sections[0].label
    if (
        label is None
        or label.rank >= Rank.ID
        or place_role(outline, sections[0].parent) in HOLDS_TASKS
    ):
        return list(sections)
    barred = [section for section in sections if not _may_be_work(section)]
    if len(barred) * 5 > len(sections) * 2:
        return []
    return [section for section in sections if section not in barred]


def _key(outline: Outline, section: Section, label: Label) -> tuple[object, ...]:
    if label.word:
        return (label.word,)
    is_dotted = "." in label.number and label.rank is Rank.PLAIN
    in_container = place_role(outline, section.parent) in HOLDS_TASKS
    if label.rank is Rank.ID or (is_dotted and not in_container):
        return (label.rank, section.level)
    return (label.rank, section.level, section.parent)


def _series_of(outline: Outline, label: Label, sections: Sequence[Section]) -> Series:
    weight = _WEIGHTS[label.rank]
    contained = sum(
        place_role(outline, section.parent) in HOLDS_TASKS | {Role.APPROACH} for section in sections
    )
    is_named = label.rank in {Rank.TASK, Rank.BARRIER, Rank.UNIT}
    is_contained = contained * 2 >= len(sections)
    if not is_named and not is_contained:
        shown = sum(
            _shows_work(outline, section) or (label.rank is Rank.ID and _is_top(outline, section))
            for section in sections
        )
        weight -= _SHOWN[label.rank] if shown * 5 >= len(sections) * 3 else _LOOSE
    if is_named and is_contained:
        weight += 4
    if len(sections) == 1:
        weight -= _LOOSE if label.rank is not Rank.TASK else 5
    entries = tuple(entry_of(section, outline) for section in sections)
    return Series(
        kind="headings",
        weight=weight,
        entries=entries,
        is_firm=label.rank is Rank.TASK or (label.rank is Rank.ID and len(label.number) > 1),
        word=label.word,
    )


def _is_top(outline: Outline, section: Section) -> bool:
    return section.parent is None or is_title(outline, outline.sections[section.parent])


def _shows_work(outline: Outline, section: Section) -> bool:
    """Tell whether a section begins with a verb of work, or names a file."""
    said = section.label.title if section.label else section.text
    return bool(_WORK.match(said)) or _names_file(outline, section)


def _names_file(outline: Outline, section: Section) -> bool:
    spans = SPAN.finditer(outline.text(section.line, section.end))
    return any(path_in(span[2]) for span in spans)


def children(outline: Outline) -> Iterator[Series]:
    """Unnumbered headings under one that says `Changes` or `Implementation`."""
    groups: dict[int, list[Section]] = defaultdict(list)
    for section in outline.sections:
        if section.label or section.parent is None:
            continue
        parent = outline.sections[section.parent]
        is_work = roles.role(parent.text) is Role.TASKS and not is_title(outline, parent)
        is_free = _may_be_work(section)
        if is_work and is_free and not parent.label and not is_barred(outline, parent.index):
            groups[section.parent].append(section)
    for sections in groups.values():
        if len(sections) > 1:
            entries = tuple(entry_of(section, outline) for section in sections)
            yield Series(kind="children", weight=66, entries=entries)
    orders = [section for section in outline.sections if _is_order(outline, section)]
    if len(orders) > 1:
        entries = tuple(entry_of(section, outline) for section in outermost(orders))
        yield Series(kind="orders", weight=56, entries=entries)


def _may_be_work(section: Section) -> bool:
    """Tell whether a heading is no context, risk or check; `Add tests` is work all the same."""
    said = section.label.title if section.label else section.text
    return roles.role(section.text) not in NEVER_TASKS or bool(_WORK.match(said))


def _is_order(outline: Outline, section: Section) -> bool:
    """Tell whether a section right under the title is an order, and names what it changes."""
    return (
        section.label is None
        and not is_title(outline, section)
        and _is_top(outline, section)
        and bool(_WORK.match(section.text))
        and roles.role(section.text) is None
        and _names_file(outline, section)
    )


def work_sections(outline: Outline) -> Iterator[Series]:
    """Sections that list files and number their steps, each beginning anew."""
    stepped: dict[int, int] = defaultdict(int)
    for item in outline.items:
        label = labels.read(item.text)
        is_step = label and label.rank is Rank.UNIT
        if is_step and item.is_ticked is not None and item.section is not None:
            stepped[item.section] += 1
    sections = [outline.sections[index] for index in stepped]
    if len(sections) > 1:
        entries = tuple(entry_of(section, outline) for section in sections)
        yield Series(kind="work sections", weight=88, entries=entries)
