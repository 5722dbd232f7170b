"""Tables whose rows are tasks: a column says task, step or phase."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from kimi_mcp.spec.plans import labels, roles, words
from kimi_mcp.spec.plans.labels import Label, Rank
from kimi_mcp.spec.plans.outline import Outline
from kimi_mcp.spec.plans.parts import Entry, Series, is_barred, place_role
from kimi_mcp.spec.plans.roles import HOLDS_TASKS
from kimi_mcp.spec.plans.shapes import Row

_NUMBERED = words.any_of(words.TASK, words.BARRIER, words.STEP, whole=True)
_TASK = words.any_of(words.TASK, whole=True)
_AFTER = words.any_of(words.DEPENDS)


def tables(outline: Outline) -> Iterator[Series]:
    """Tables whose rows are tasks: a column says task, step or phase."""
    groups: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in outline.rows:
        if not is_barred(outline, row.section):
            shape = (row.header, place_role(outline, row.section))
            groups[shape].append(row)
    for (_, role), rows in groups.items():
        column = _task_column(rows[0].header)
        is_place = role in HOLDS_TASKS
        if column is None or len(rows) < 2:  # noqa: PLR2004  # one row is no row of like parts
            continue
        entries = [entry for row in rows if (entry := _row_entry(row, column))]
        is_firm = bool(_TASK.search(rows[0].header[column])) and all(e.label for e in entries)
        weight = 83 if is_place else 60
        yield Series(
            kind="table",
            weight=weight,
            entries=tuple(entries),
            is_firm=is_firm,
            word="" if is_firm else rows[0].header[column],
        )


def _task_column(header: Sequence[str]) -> int | None:
    for at, cell in enumerate(header):
        if _NUMBERED.search(cell):
            return at
    return None


def _row_entry(row: Row, column: int) -> Entry | None:
    cells = list(row.cells)
    said = cells[column] if column < len(cells) else ""
    first = cells[0].strip("* ") if cells else ""
    label = labels.read(said)
    if column and first and len(first) <= 6 and first[:1].isalnum():  # noqa: PLR2004  # a number
        label = Label(Rank.PLAIN, "", first.rstrip("."), labels.clean(said))
    title = labels.clean(label.title if label and label.title else said)
    if said.strip().isdecimal():
        label = Label(Rank.PLAIN, "", said.strip(), "")
        rest = [cell for at, cell in enumerate(cells) if at > column and cell]
        title = labels.clean(rest[0]) if rest else ""
    if not title:
        return None
    is_done = any(
        roles.is_done(cell) or cell.strip().lower() in {"[x]", "x", "done"} for cell in cells
    )
    after = next((c for c, head in zip(cells, row.header, strict=False) if _AFTER.search(head)), "")
    return Entry(
        row.line,
        row.line,
        row.line + 1,
        title,
        label,
        said,
        row.section,
        is_done,
        after=after,
        cells=tuple(zip(row.header, cells, strict=False)),
    )
