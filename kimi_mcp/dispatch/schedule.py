"""Which task may start next. Pure; the order of the DAG, as many at once as allowed.

A failed task skips those that depend on it, and nobody else.
"""

import graphlib
from collections.abc import Iterable, Mapping


class Schedule:
    """Hands out tasks whose dependencies are delivered, lowest number first."""

    def __init__(self, depends_on: Mapping[int, Iterable[int]]) -> None:
        self._depends_on = {task: frozenset(needed) for task, needed in depends_on.items()}
        self._sorter = graphlib.TopologicalSorter(self._depends_on)
        self._sorter.prepare()
        self._ready: list[int] = []
        self._undelivered: set[int] = set()

    @property
    def is_over(self) -> bool:
        """Whether every task was handed out and ended."""
        return not self._ready and not self._sorter.is_active()

    def ready(self) -> list[int]:
        """Return the tasks that can be handled now, each once, in order of their numbers."""
        self._ready = sorted([*self._ready, *self._sorter.get_ready()])
        handed, self._ready = self._ready, []
        return handed

    def obstacles(self, task: int) -> list[int]:
        """Return the dependencies of *task* that were not delivered: it must be skipped."""
        return sorted(self._depends_on[task] & self._undelivered)

    def ended(self, task: int, *, is_delivered: bool) -> None:
        """Say that a task that was handed out is over, delivered or not (skipped included)."""
        if not is_delivered:
            self._undelivered.add(task)
        self._sorter.done(task)
