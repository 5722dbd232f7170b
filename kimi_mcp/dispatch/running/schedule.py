"""Which task may start next. Pure: the order of the DAG, lowest number first.

A failed task skips those that depend on it, and nobody else.
"""

import graphlib
from collections.abc import Iterable, Mapping


class Schedule:
    """Hands out each task once, when all that it depends on is over."""

    def __init__(self, depends_on: Mapping[int, Iterable[int]]) -> None:
        """Take the DAG.

        Raises:
            graphlib.CycleError: the lint refuses such a spec, so this is a bug.
        """
        self._depends_on = {task: frozenset(needed) for task, needed in depends_on.items()}
        self._sorter = graphlib.TopologicalSorter(self._depends_on)
        self._sorter.prepare()
        self._undelivered: set[int] = set()

    @property
    def is_over(self) -> bool:
        """Whether every task is over."""
        return not self._sorter.is_active()

    def ready(self) -> list[int]:
        """Return the tasks that became ready since the last call, in order of their numbers."""
        return sorted(self._sorter.get_ready())

    def obstacles(self, task: int) -> list[int]:
        """Return the dependencies of *task* that were not delivered: it must be skipped."""
        return sorted(self._depends_on[task] & self._undelivered)

    def ended(self, task: int, *, is_delivered: bool) -> None:
        """Say that a task that was handed out is over, delivered or not (skipped included)."""
        if not is_delivered:
            self._undelivered.add(task)
        self._sorter.done(task)
