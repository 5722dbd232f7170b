"""Bringing a changed plan into a spec that people may have edited. Pure.

The spec remembers, per field, a short hash of what the plan said when it was last read
(`from_plan` in the front matter). That makes every field a three-way decision: the file still says
what the plan said, so the plan's new word is taken; the plan has not changed, so the file's word
stays; both changed, so the file's word stays and the difference is reported. Answers given in
`tasks` are edits like any other. No stamp of time: the same inputs give the same bytes.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from kimi_mcp.spec.model import Spec, Task

_SPEC_FIELDS = ("title", "goal", "context", "out_of_scope")
_TASK_FIELDS = ("title", "files", "requirements", "verification", "depends_on", "budget")
_SPEC_KEY = "spec"


class Merged(NamedTuple):
    """The spec, and a sentence for each edit that was kept against the plan."""

    spec: Spec
    kept: tuple[str, ...]


def remembered(plan: Spec) -> tuple[tuple[str, str], ...]:
    """Give the hashes of what *plan*, a draft, says: one line for the spec, one for each task."""
    lines = [(_SPEC_KEY, _line(plan, _SPEC_FIELDS))]
    lines += [(f"task {task.number}", _line(task, _TASK_FIELDS)) for task in plan.tasks]
    return tuple(lines)


def merge(old: Spec, plan: Spec) -> Merged:
    """Bring what *plan*, a draft, says into *old*."""
    memory = {key: line.split() for key, line in old.from_plan}
    kept: list[str] = []
    fields = _taken(old, plan, _SPEC_FIELDS, memory.get(_SPEC_KEY, []), kept, who="the spec")
    tasks = [_task(task, plan, memory, kept) for task in old.tasks]
    known = set(old.numbers)
    tasks += [task for task in plan.tasks if task.number not in known]
    spec = replace(
        old,
        **fields,  # pyright: ignore[reportArgumentType]  # the names are those of the fields
        source=plan.source,
        source_hash=plan.source_hash,
        base=plan.base or old.base,
        from_plan=remembered(plan),
        tasks=tuple(task for task in tasks if task),
    )
    return Merged(spec, tuple(kept))


def _task(
    old: Task, plan: Spec, memory: Mapping[str, Sequence[str]], kept: list[str]
) -> Task | None:
    marks = memory.get(f"task {old.number}", [])
    who = f"task {old.number}"
    new = next((task for task in plan.tasks if task.number == old.number), None)
    if new is None:
        if not marks:
            return old
        if [_mark(old, name) for name in _TASK_FIELDS] == list(marks):
            return None
        kept.append(f"{who} is no longer in the plan, but was edited: it was kept")
        return old
    fields = _taken(old, new, _TASK_FIELDS, marks, kept, who=who)
    return replace(old, **fields)  # pyright: ignore[reportArgumentType]  # as in `merge`


def _taken(
    old: Spec | Task,
    new: Spec | Task,
    names: Sequence[str],
    marks: Sequence[str],
    kept: list[str],
    *,
    who: str,
) -> dict[str, object]:
    """Give the fields for which the plan's word is taken; note those where it is not."""
    taken: dict[str, object] = {}
    for place, name in enumerate(names):
        was = marks[place] if place < len(marks) else None
        mine, theirs = _mark(old, name), _mark(new, name)
        if theirs in {mine, was}:
            continue
        if mine == was or (was is None and not getattr(old, name)):
            taken[name] = getattr(new, name)
        elif getattr(new, name):
            kept.append(f"{who}: {name} was edited and differs from the plan: the edit was kept")
    return taken


def _line(of: Spec | Task, names: Sequence[str]) -> str:
    return " ".join(_mark(of, name) for name in names)


def _mark(of: Spec | Task, name: str) -> str:
    value: object = getattr(of, name)
    text = "\n".join(map(str, value)) if isinstance(value, tuple) else str(value)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]  # entries of any kind have a Markdown form
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:8]
