"""A plan's text to its draft: the chosen tasks, their facts, the texts around them, and the rest.

It raises on no text, and takes time in proportion to its length; the caller bounds the length.
Requirements are the plan's own words; no path and no command is returned that does not stand in it.
"""

from collections.abc import Sequence
from dataclasses import replace

from kimi_mcp.spec.plans import facts, roles, tables
from kimi_mcp.spec.plans.choice import Chosen, choose, plan_title
from kimi_mcp.spec.plans.draft import Draft, DraftTask
from kimi_mcp.spec.plans.found import Facts
from kimi_mcp.spec.plans.order import Part, depend
from kimi_mcp.spec.plans.outline import Outline, outline
from kimi_mcp.spec.plans.parts import Entry
from kimi_mcp.spec.plans.roles import Role
from kimi_mcp.spec.plans.shapes import Piece, Section
from kimi_mcp.spec.plans.texts import TEXTS, Span, bare, questions, texts, uncovered


def extract(text: str) -> Draft:
    """Read a plan's Markdown: its tasks with their lines, its texts, and what no task covers."""
    plan = outline(text)
    chosen = choose(plan)
    entries = _ticked(plan, chosen)
    is_whole = chosen.series is not None and chosen.series.kind == "whole"
    spans: list[Span] = [(entry.start, entry.stop) for entry in entries]
    around = TEXTS[1:] if is_whole else TEXTS  # the goal of a plan that is one task is its work
    said, taken = texts(plan, [] if is_whole else spans, wanted=around)
    reader = _Reader(plan, taken if is_whole else [])
    read = [reader.facts(entry) for entry in entries]
    numbers = _numbers(entries)
    word = chosen.series.word if chosen.series else ""
    parts = [Part(n, e, f) for n, e, f in zip(numbers, entries, read, strict=True)]
    after = depend(plan, parts, word=word)
    tasks = [_task(plan, part, after[part.number], reader) for part in parts]
    if not is_whole:
        tasks, checked = _with_checks_of_all(plan, tasks, reader, spans)
        taken += checked
    refusal = chosen.refusal
    if tasks and not any(task.is_open for task in tasks):
        refusal = f"all {len(tasks)} of its tasks are ticked as done or put off"
    return Draft(
        title=plan_title(plan),
        goal=said[Role.GOAL],
        context=said[Role.CONTEXT],
        out_of_scope=said[Role.OUT_OF_SCOPE],
        tasks=tuple(tasks),
        uncovered=tuple(uncovered(plan, [*spans, *taken])),
        questions=tuple(questions(plan, [] if is_whole else spans)),
        refusal=refusal,
    )


class _Reader:
    """Reads the facts between two lines, without what belongs to the texts around the tasks."""

    def __init__(self, plan: Outline, hidden: Sequence[Span]) -> None:
        self._plan = plan
        self._hidden = {line for start, stop in hidden for line in range(start, stop)}

    def facts(self, entry: Entry) -> Facts:
        rows = [] if entry.cells else self._plan.rows_in(entry.start, entry.stop)
        shown = [row for row in rows if not self.is_hidden(row.line)]
        return facts.read(self._pieces(entry.start, entry.stop), shown, cells=entry.cells)

    def checks(self, start: int, stop: int) -> Facts:
        return facts.read(self._pieces(start, stop))

    def is_hidden(self, line: int) -> bool:
        return line in self._hidden

    def _pieces(self, start: int, stop: int) -> list[Piece]:
        pieces = self._plan.pieces_in(start, stop)
        return [piece for piece in pieces if not self.is_hidden(piece.start)]


def _ticked(plan: Outline, chosen: Chosen) -> list[Entry]:
    """Give the chosen entries, done where a table of the same parts ticks them off."""
    if chosen.series is None:
        return []
    entries = list(chosen.series.entries)
    if chosen.series.kind != "headings":
        return entries
    done = {
        row.label.number
        for table in tables.tables(plan)
        if not chosen.series.word or chosen.series.word[:4] in table.word.casefold()
        for row in table.entries
        if row.is_done and row.label
    }
    return [
        entry._replace(is_done=True) if entry.label and entry.label.number in done else entry
        for entry in entries
    ]


def _numbers(entries: Sequence[Entry]) -> list[int]:
    """Keep the plan's numbers where they are whole and unique, else count 1, 2, 3 …."""
    said = [entry.label.number if entry.label else "" for entry in entries]
    whole = [int(number) for number in said if number.isdecimal() and number.isascii()]
    if len(whole) == len(entries) and len(set(whole)) == len(whole):
        return whole
    return list(range(1, len(entries) + 1))


def _task(plan: Outline, part: Part, after: Sequence[int], reader: _Reader) -> DraftTask:
    entry, read = part.entry, part.facts
    return DraftTask(
        number=part.number,
        title=entry.title,
        label=entry.label.number if entry.label else "",
        start=entry.start + 1,
        stop=_last_line(plan, entry),
        files=read.files,
        requirements=_requirements(plan, part, reader),
        commands=tuple(read.commands),
        manual=tuple(read.manual),
        depends_on=tuple(after),
        budget=read.budget,
        is_done=entry.is_done,
        is_deferred=entry.is_deferred,
        is_marked_parallel=part.is_marked_parallel,
    )


def _last_line(plan: Outline, entry: Entry) -> int:
    stop = entry.stop
    while stop > entry.start + 1 and not plan.lines[stop - 1].strip():
        stop -= 1
    return stop


def _requirements(plan: Outline, part: Part, reader: _Reader) -> str:
    entry, spent = part.entry, part.facts.spent
    if entry.cells:
        pairs = [(head, cell) for head, cell in entry.cells if cell and cell != entry.head]
        return "\n".join(f"- {head}: {cell}" if head else f"- {cell}" for head, cell in pairs)
    is_item = entry.below == entry.start
    words = [
        plan.lines[n]
        for n in range(entry.below, entry.stop)
        if (n not in spent or (is_item and n == entry.start)) and not reader.is_hidden(n)
    ]
    return bare("\n".join(words))


def _with_checks_of_all(
    plan: Outline, tasks: list[DraftTask], reader: _Reader, spans: Sequence[Span]
) -> tuple[list[DraftTask], list[Span]]:
    """Give the checks of the whole plan to the task after which they must hold: the last one."""
    last = next((at for at in reversed(range(len(tasks))) if tasks[at].is_open), None)
    if last is None or tasks[last].commands:
        return tasks, []
    for section in plan.sections:
        if roles.role(section.text) is not Role.VERIFICATION or _meets(section, spans):
            continue
        read = reader.checks(section.line, section.end)
        if read.commands:
            task = replace(
                tasks[last],
                commands=tuple(read.commands),
                manual=(*tasks[last].manual, *read.manual),
            )
            return [*tasks[:last], task, *tasks[last + 1 :]], [(section.line, section.end)]
    return tasks, []


def _meets(section: Section, spans: Sequence[Span]) -> bool:
    return any(section.line < stop and start < section.end for start, stop in spans)
