"""The order of a spec's tasks: what runs before what, and what may run side by side. Pure.

Unknown dependencies are ignored here; `lint` reports them.
"""

import graphlib
from collections.abc import Mapping

from kimi_mcp.spec.model import Spec
from kimi_mcp.spec.sharing import Imports, Shared, shared


def waves(spec: Spec) -> list[list[int]]:
    """Give the task numbers in waves: each needs only the waves before it.

    Raises: `graphlib.CycleError` for a spec that lint would not let through.
    """
    sorter = graphlib.TopologicalSorter(_edges(spec))
    sorter.prepare()
    result: list[list[int]] = []
    while sorter.is_active():
        ready = sorted(sorter.get_ready())
        result.append(ready)
        sorter.done(*ready)
    return result


def cycle(spec: Spec) -> tuple[int, ...]:
    """Give the tasks of a dependency cycle, the first one again at the end, or nothing."""
    try:
        graphlib.TopologicalSorter(_edges(spec)).prepare()
    except graphlib.CycleError as error:
        path: list[int] = error.args[1]
        return tuple(path)
    return ()


def upstream(spec: Spec, number: int) -> frozenset[int]:
    """Give all tasks that run before this one, however far up."""
    edges = _edges(spec)
    found: set[int] = set()
    open_ = list(edges.get(number, ()))
    while open_:
        task = open_.pop()
        if task not in found:
            found.add(task)
            open_ += edges.get(task, ())
    return frozenset(found - {number})


def independent(spec: Spec, imports: Imports = frozenset()) -> frozenset[int]:
    """Give the tasks that need no other and share nothing with a task beside them.

    A task that others depend on can be independent: those run after it, not beside it. *imports*
    are the pairs of files known to import one another (see `sharing`).
    """
    after = {task.number: upstream(spec, task.number) for task in spec.tasks}
    return frozenset(
        task.number
        for task in spec.tasks
        if not task.depends_on
        and not any(
            shared(task, other, imports)
            for other in spec.tasks
            if other is not task and task.number not in after[other.number]
        )
    )


def meetings(spec: Spec, imports: Imports = frozenset()) -> list[tuple[int, int, Shared]]:
    """Give the pairs of tasks that may run side by side and share something."""
    after = {task.number: upstream(spec, task.number) for task in spec.tasks}
    return [
        (one.number, other.number, what)
        for place, one in enumerate(spec.tasks)
        for other in spec.tasks[place + 1 :]
        if one.number not in after[other.number]
        and other.number not in after[one.number]
        and (what := shared(one, other, imports))
    ]


def _edges(spec: Spec) -> Mapping[int, set[int]]:
    known = set(spec.numbers)
    edges: dict[int, set[int]] = {number: set() for number in spec.numbers}
    for task in spec.tasks:
        edges[task.number] |= {n for n in task.depends_on if n in known and n != task.number}
    return edges
