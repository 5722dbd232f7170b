"""The order of a plan's tasks, from everything that says something of it. Pure."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from kimi_mcp.spec.entries import Operation
from kimi_mcp.spec.plans import links, roles, words
from kimi_mcp.spec.plans.found import Facts
from kimi_mcp.spec.plans.labels import Rank
from kimi_mcp.spec.plans.links import Known
from kimi_mcp.spec.plans.outline import Outline
from kimi_mcp.spec.plans.parts import Entry
from kimi_mcp.spec.plans.roles import Role
from kimi_mcp.spec.plans.shapes import Section

_DEPENDENCY = words.any_of(words.DEPENDS)


@dataclass(frozen=True, slots=True)
class Part:
    """A task to be: its number, its place in the plan, and what was read of it."""

    number: int
    entry: Entry
    facts: Facts

    @property
    def is_marked_parallel(self) -> bool:
        """Whether the author says that it may run beside the others."""
        return bool(roles.MARK.search(self.entry.head))


def depend(plan: Outline, parts: Sequence[Part], *, word: str) -> dict[int, list[int]]:
    """Give for each task the tasks that it comes after.

    What is said outright is kept as it is; a phase waits for the phase before it, and who changes a
    file waits for who makes it, only where a task says nothing itself.
    """
    known = links.known_as(
        [
            (part.entry.label.word or word, part.entry.label.number, part.number)
            for part in parts
            if part.entry.label
        ]
    )
    after: dict[int, list[int]] = {part.number: _own(plan, part, known) for part in parts}
    for task, before in _outside(plan, parts, known):
        after[task] += before
    for task, before in _phases(plan, parts, known).items():
        after[task] += [] if after[task] else before
    for task, before in _made(parts).items():
        after[task] += before
    return {task: [n for n in dict.fromkeys(before) if n != task] for task, before in after.items()}


def _own(plan: Outline, part: Part, known: Known) -> list[int]:
    found: list[int] = []
    for number, text in part.facts.tied:
        before = links.named(text, known, is_listed=number >= 0)
        found += before
        if number >= 0 and (before or links.says_none(text)):
            part.facts.spent.add(number)
    found += links.named(part.entry.after, known, is_listed=True) if part.entry.after else []
    said = [p.text for p in plan.pieces_in(part.entry.start, part.entry.stop) if not p.is_fence]
    for text in (*said, *(cell for _, cell in part.entry.cells)):
        found += links.clauses(text, known)
    return found


def _outside(plan: Outline, parts: Sequence[Part], known: Known) -> Iterator[tuple[int, list[int]]]:
    """Read the sections that are about order or dependencies."""
    for section in plan.sections:
        is_order = roles.role(section.text) is Role.ORDER or _DEPENDENCY.search(section.text)
        if not is_order or _holds(section, parts):
            continue
        for line in plan.lines[section.below : section.end]:
            yield from links.statements(line, known)


def _holds(section: Section, parts: Sequence[Part]) -> bool:
    return any(
        section.line <= part.entry.start < section.end
        or part.entry.start <= section.line < part.entry.stop
        for part in parts
    )


def _phases(plan: Outline, parts: Sequence[Part], known: Known) -> dict[int, list[int]]:
    phase_of: list[int | None] = []
    for part in parts:
        label = part.entry.label
        if label and label.rank is Rank.BARRIER:
            phase_of.append(part.entry.start)
            continue
        around = (
            section.index
            for section in plan.ancestors(part.entry.section)
            if section.label and section.label.rank is Rank.BARRIER
        )
        phase_of.append(next(around, None))
    free = {
        phase
        for part, phase in zip(parts, phase_of, strict=True)
        if phase is not None and links.PARALLEL.search(part.entry.head)
    }
    known_phases = {part.number: phase for part, phase in zip(parts, phase_of, strict=True)}
    together: dict[int, int] = {}
    for named in _side_by_side(plan, parts, known_phases, known):
        if len(named) == 1:
            free |= named
        together |= dict.fromkeys(named, min(named))
    joined = [None if phase is None else together.get(phase, phase) for phase in phase_of]
    by_place = links.phases(joined, free)
    return {
        parts[place].number: [parts[p].number for p in before] for place, before in by_place.items()
    }


def _side_by_side(
    plan: Outline, parts: Sequence[Part], phases: Mapping[int, int | None], known: Known
) -> Iterator[set[int]]:
    """Find the phases that a line outside the tasks lets run beside one another."""
    inside = {n for part in parts for n in range(part.entry.start, part.entry.stop)}
    for number, line in enumerate(plan.lines):
        if number not in inside and links.PARALLEL.search(line):
            named = {phases.get(task) for task in links.named(line, known)}
            found = {phase for phase in named if phase is not None}
            if found:
                yield found


def _made(parts: Sequence[Part]) -> dict[int, list[int]]:
    """Let who uses a file or a name come after the one who makes it."""
    made: dict[str, int] = {}
    after: dict[int, list[int]] = defaultdict(list)
    produced = {name: part.number for part in parts for name in part.facts.produced}
    for part in parts:
        for name in part.facts.consumed:
            if name in produced:
                after[part.number].append(produced[name])
        for file in part.facts.files:
            path = re.sub(r":[\d,-]+$", "", file.path)
            if file.operation is not Operation.CREATE and path in made:
                after[part.number].append(made[path])
        for file in part.facts.files:
            if file.operation is Operation.CREATE:
                made[file.path] = part.number
    return after
