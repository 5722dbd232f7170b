"""What tasks are made of: a part of a plan that may be one task, and a row of such parts. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from kimi_mcp.spec.plans import labels, roles
from kimi_mcp.spec.plans.labels import Label, Rank
from kimi_mcp.spec.plans.outline import Outline
from kimi_mcp.spec.plans.roles import NEVER_TASKS, Role
from kimi_mcp.spec.plans.shapes import Item, Section


class Entry(NamedTuple):
    """One task to be: its lines from `start` to `stop`, what is below the heading, its label."""

    start: int
    below: int
    stop: int
    title: str
    label: Label | None
    head: str
    section: int | None = None
    is_done: bool = False
    is_deferred: bool = False
    after: str = ""
    cells: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Parts of a plan that are alike; *is_firm* ones stand even inside another series."""

    kind: str
    weight: int
    entries: tuple[Entry, ...]
    is_firm: bool = False
    word: str = ""


def entry_of(section: Section, outline: Outline) -> Entry:
    """Take a section as a part of the plan, with its title, its number and whether it is done."""
    title = section.label.title if section.label else labels.clean(section.text)
    title = roles.without_status(title or labels.clean(section.text))
    own = outline.items_in(section.below, section.end)
    ticks = [item.is_ticked for item in own if item.is_ticked is not None]
    is_done = roles.is_done(section.text) or (bool(ticks) and all(ticks))
    return Entry(
        section.line,
        section.below,
        section.end,
        title,
        section.label,
        section.text,
        section.index,
        is_done,
        roles.is_deferred(section.text),
    )


def item_entry(outline: Outline, item: Item) -> Entry:
    """Take a list item as a part of the plan, down to its last line that is not blank."""
    text = item.text
    number = "" if item.ordinal is None else str(item.ordinal)
    label = labels.read(text)
    if label is None or (label.rank < Rank.UNIT and number):
        label = Label(Rank.PLAIN, "", number, "") if number else label
    stop = item.stop
    while stop > item.start + 1 and not outline.lines[stop - 1].strip():
        stop -= 1
    return Entry(
        item.start,
        item.start,
        stop,
        _item_title(text, label),
        label,
        text,
        item.section,
        bool(item.is_ticked) or roles.is_done(text),
        roles.is_deferred(text),
    )


def _item_title(text: str, label: Label | None) -> str:
    """Take the bold beginning of an item as its title, else its first sentence."""
    line = (label.title if label and label.title else text).split("\n", 1)[0]
    line = line.removeprefix("[ ] ").removeprefix("[x] ").removeprefix("[X] ")
    if line.startswith("**") and "**" in line[2:]:
        return labels.clean(line[2:].split("**", 1)[0])
    return roles.without_status(labels.clean(line))[:120]


def place_role(outline: Outline, section: int | None) -> Role | None:
    """Give the role of the innermost section around a place that has one."""
    for found in outline.ancestors(section):
        if is_title(outline, found):
            return None
        if found.label and found.label.rank >= Rank.UNIT:
            return Role.TASKS
        role = roles.role(found.text)
        if role:
            return role
    return None


def is_barred(outline: Outline, section: int | None) -> bool:
    """Tell whether a section around this place is never tasks, or is done as a whole."""
    for found in outline.ancestors(section):
        if found.label and found.label.rank >= Rank.UNIT:
            continue
        if is_title(outline, found):
            continue
        if roles.role(found.text) in NEVER_TASKS or roles.is_done(found.text):
            return True
    return False


def is_title(outline: Outline, section: Section) -> bool:
    """Tell whether a section's heading is the plan's title."""
    return section.level == 1 and bool(outline.title)


def outermost(sections: Sequence[Section]) -> list[Section]:
    """Drop the sections that lie within another."""
    result: list[Section] = []
    for section in sections:
        if not result or section.line >= result[-1].end:
            result.append(section)
    return result
