"""What came of a dispatch, gathered from the history for whoever shows it."""

from dataclasses import dataclass

from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.records import Attempt, Change, Check, Dispatch, Task
from kimi_mcp.lifecycle import TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReport:
    """One task, with the changes and checks of the attempt that it stands for.

    That is the delivered one where there is one, else the newest.
    """

    task: Task
    attempts: tuple[Attempt, ...]
    changes: tuple[Change, ...]
    checks: tuple[Check, ...]

    @property
    def latest(self) -> Attempt | None:
        """The newest attempt, if any was begun."""
        return self.attempts[-1] if self.attempts else None

    @property
    def strays(self) -> tuple[Change, ...]:
        """The changes that the spec does not allow."""
        return tuple(change for change in self.changes if change.stray_reason is not None)

    @property
    def head(self) -> str | None:
        """The newest name under which git knows the task's work: the branch, else the ref."""
        if self.task.branch is not None:
            return self.task.branch
        return self.latest.ref if self.latest else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A dispatch and all its tasks."""

    dispatch: Dispatch
    tasks: tuple[TaskReport, ...]

    @property
    def steps(self) -> int:
        """What the dispatch has cost so far."""
        return sum(task.task.steps for task in self.tasks)

    def is_newest_delivered(self, number: int) -> bool:
        """Whether the newest attempt at a task is the one that was delivered."""
        task = next(task for task in self.tasks if task.task.number == number)
        newest = task.latest
        return (
            task.task.state is TaskState.DELIVERED and newest is not None and newest.outcome is None
        )

    @property
    def delivered(self) -> tuple[TaskReport, ...]:
        """The delivered tasks, unchecked ones included."""
        return tuple(task for task in self.tasks if task.task.state is TaskState.DELIVERED)


def report(bench: Workbench, dispatch: DispatchId) -> Report:
    """Gather a dispatch as it stands.

    Raises:
        Refused: there is none of that id.
    """
    tasks = bench.history.tasks(dispatch)
    return Report(
        dispatch=bench.history.dispatch(dispatch),
        tasks=tuple(_task_report(bench, task) for task in tasks),
    )


def _task_report(bench: Workbench, task: Task) -> TaskReport:
    history = bench.history
    attempts = history.attempts(task.dispatch, task.number)
    standing = len(attempts)
    if task.state is TaskState.DELIVERED:
        standing = next(a.attempt for a in reversed(attempts) if a.commit_id == task.commit_id)
    return TaskReport(
        task=task,
        attempts=attempts,
        changes=history.changes(task.dispatch, task.number, standing),
        checks=history.checks(task.dispatch, task.number, standing),
    )
