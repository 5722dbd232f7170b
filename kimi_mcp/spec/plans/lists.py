"""Rows of list items: numbered ones under a heading that says order, labelled ones, check boxes."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from kimi_mcp.spec.mentions import SPAN, path_in
from kimi_mcp.spec.plans import labels, roles
from kimi_mcp.spec.plans.labels import Label, Rank
from kimi_mcp.spec.plans.outline import Outline
from kimi_mcp.spec.plans.parts import (
    Series,
    entry_of,
    is_barred,
    item_entry,
    outermost,
    place_role,
)
from kimi_mcp.spec.plans.roles import HOLDS_TASKS, Role
from kimi_mcp.spec.plans.shapes import Item


def numbered(outline: Outline) -> Iterator[Series]:
    """Numbered lists under a heading that says order, steps or tasks."""
    groups: dict[int, list[Item]] = defaultdict(list)
    for item in outline.items:
        if item.ordinal is not None and not is_barred(outline, item.section):
            groups[item.group].append(item)
    known = {s.label.number for s in outline.sections if s.label and s.label.rank >= Rank.ID}
    worded = {s.label.word for s in outline.sections if s.label and s.label.word}
    lists = [
        items
        for items in groups.values()
        if (len(items) > 1 or (items[0].ordinal or 0) > 1)
        and not _refers(items, numbers=known, worded=worded)
    ]
    for run in _runs(lists):
        roles_ = {place_role(outline, item.section) for items in run for item in items}
        own = _own_role(outline, run[0][0].section)
        places = {item.section for items in run for item in items}
        if len(places) > 1 and roles_ <= HOLDS_TASKS:
            yield _listed(outline, [i for items in run for i in items], 95, is_firm=True)
        for items in (items for items in run if len(items) > 1):
            role = place_role(outline, items[0].section)
            if own in HOLDS_TASKS:
                yield _listed(outline, items, 86 if own is Role.ORDER else 84)
            elif role in HOLDS_TASKS:
                yield _listed(outline, items, 58)
            elif role is None and len(outline.sections) <= 1:
                yield _listed(outline, items, 50)


def _own_role(outline: Outline, section: int | None) -> Role | None:
    if section is None:
        return None
    found = outline.sections[section]
    return None if found.label and found.label.word else roles.role(found.text)


def _runs(lists: Sequence[list[Item]]) -> Iterator[list[list[Item]]]:
    """Join lists that count on from one section to the next."""
    run: list[list[Item]] = []
    for items in lists:
        if run and (items[0].ordinal or 0) == (run[-1][-1].ordinal or 0) + 1:
            run.append(items)
        else:
            if run:
                yield run
            run = [items]
    if run:
        yield run


def _refers(items: Sequence[Item], *, numbers: set[str], worded: set[str]) -> bool:
    """Tell whether a list only puts parts in order that have headings of their own."""
    count = sum(_names_part(item.text, numbers, worded) for item in items)
    return count * 2 > len(items)


def _names_part(text: str, numbers: set[str], worded: set[str]) -> bool:
    line = text.split("\n", 1)[0]
    for token in line.replace("*", " ").replace("(", " ").replace(")", " ").split():
        bare = token.strip(".,:;~`+")
        if bare in numbers and bare[:1].isalpha():
            return True
    spoken = line.casefold()
    return any(f"{word} {number}" in spoken for word in worded for number in numbers if word)


def _listed(
    outline: Outline, items: Iterable[Item], weight: int, *, is_firm: bool = False
) -> Series:
    entries = tuple(item_entry(outline, item) for item in items)
    return Series(kind="list", weight=weight, entries=entries, is_firm=is_firm)


def labelled(outline: Outline) -> Iterator[Series]:
    """List items that bear labels of their own: `- **Task 1**: …`."""
    groups: dict[str, list[tuple[Item, Label]]] = defaultdict(list)
    for item in outline.items:
        label = labels.read(item.text)
        if label and _is_named(item, label) and not is_barred(outline, item.section):
            groups[label.word or label.number.rstrip("0123456789.")].append((item, label))
    for word, pairs in groups.items():
        numbers = [label.number for _, label in pairs]
        if len(pairs) > 1 and len(set(numbers)) == len(numbers):
            is_firm = pairs[0][1].rank in {Rank.TASK, Rank.ID}
            weight = 94 if is_firm else 82
            entries = tuple(item_entry(outline, item) for item, _ in pairs)
            yield Series(
                kind="labelled items", weight=weight, entries=entries, is_firm=is_firm, word=word
            )


def _is_named(item: Item, label: Label) -> bool:
    """Tell whether an item bears a task's name: a word with a number, or, with a box, `T012`."""
    is_id = label.rank is Rank.ID and len(label.number) > 1 and item.is_ticked is not None
    return label.rank >= Rank.UNIT or is_id


def bulleted(outline: Outline) -> Iterator[Series]:
    """Give the bulleted lists right under a heading that says steps, where each names a file."""
    groups: dict[int, list[Item]] = defaultdict(list)
    for item in outline.items:
        if item.ordinal is None and item.is_ticked is None:
            groups[item.group].append(item)
    for items in groups.values():
        is_place = _own_role(outline, items[0].section) in HOLDS_TASKS
        is_free = not is_barred(outline, items[0].section)
        if len(items) > 1 and is_place and is_free and all(map(_names_file, items)):
            yield _listed(outline, items, 62)


def _names_file(item: Item) -> bool:
    return any(path_in(span[2]) for span in SPAN.finditer(item.text))


def boxes(outline: Outline) -> Iterator[Series]:
    """Check boxes: each a task where they stand together, else each group of them one."""
    boxes = [i for i in outline.items if i.is_ticked is not None]
    free = [i for i in boxes if not is_barred(outline, i.section)]
    places = list(dict.fromkeys(item.section for item in free))
    if len(places) == 1 and len(free) > 1:
        yield _listed(outline, free, 70)
    sections = outermost([outline.sections[index] for index in places if index is not None])
    if len(places) > 1 and len(sections) > 1:
        entries = tuple(entry_of(section, outline) for section in sections)
        yield Series(kind="box groups", weight=70, entries=entries)
