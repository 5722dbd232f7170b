"""What came of a dispatch, gathered from the history for whoever shows it."""

from dataclasses import dataclass, replace

from kimi_mcp.dispatch.budget import SPANS, live_lines, live_usage, paying, spent_in
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.history import History
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.landings import Landing
from kimi_mcp.history.records import Attempt, Change, Check, Dispatch, Finding, Task
from kimi_mcp.lifecycle import Outcome, TaskState
from kimi_mcp.quota.forecast import Forecast, together
from kimi_mcp.quota.usage import WEEK
from kimi_mcp.review.timeline import Stretch, timeline


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskReport:
    """One task, with the changes and checks of the attempt that it stands for.

    That is the delivered one where there is one, else the newest.
    """

    task: Task
    attempts: tuple[Attempt, ...]
    changes: tuple[Change, ...]
    checks: tuple[Check, ...]
    findings: tuple[Finding, ...] = ()

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
    """A dispatch and all its tasks, as every view of it is told from."""

    dispatch: Dispatch
    tasks: tuple[TaskReport, ...]
    landings: tuple[Landing, ...] = ()
    #: What the same account has spent through us in seven days, and what it says of its renewal.
    week_steps: int = 0
    quota_news: tuple[str, ...] = ()

    @property
    def expected(self) -> tuple[int, int] | None:
        """The steps that were expected of all tasks; None where nobody did."""
        known = [Forecast.from_json(task.task.forecast or {}) for task in self.tasks]
        forecasts = [one for one in known if one is not None]
        return together(forecasts) if forecasts and len(forecasts) == len(known) else None

    @property
    def possible_steps(self) -> int:
        """What may have been spent beyond its steps."""
        return sum(task.task.possible_steps for task in self.tasks)

    @property
    def steps(self) -> int:
        """What the dispatch has cost so far."""
        return sum(task.task.steps for task in self.tasks)

    def only(self, task: int | None) -> "Report":
        """Return the same with one task alone; with all of them for None."""
        if task is None:
            return self
        return replace(self, tasks=tuple(one for one in self.tasks if one.task.number == task))

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
    with bench.history.snapshot() as history:
        tasks = history.tasks(dispatch)
        about = history.dispatch(dispatch)
        reports = tuple(_task_report(history, task) for task in tasks)
        landings = history.landings(dispatch)
    is_gone = any(task.outcome is Outcome.QUOTA_EXHAUSTED for task in tasks)
    return Report(
        dispatch=about,
        tasks=reports,
        landings=landings,
        week_steps=spent_in(bench, about.account, SPANS[WEEK]),
        quota_news=_quota_news(bench) if is_gone else (),
    )


def stretches(bench: Workbench, dispatch: DispatchId) -> tuple[Stretch, ...]:
    """Lay out who ran when in a dispatch."""
    past = bench.history
    return timeline(
        past.runs(dispatch), past.tasks(dispatch), past.events(dispatch), now=bench.now()
    )


def _quota_news(bench: Workbench) -> tuple[str, ...]:
    """Ask the account when its quota renews, where the user wants it to be asked."""
    settings = bench.settings()
    account = paying(bench, settings.profile_named(settings.profile))
    return tuple(live_lines(live_usage(bench, settings, account), ()))


def _task_report(history: History, task: Task) -> TaskReport:
    attempts = history.attempts(task.dispatch, task.number)
    delivering = history.delivering(task) if task.state is TaskState.DELIVERED else None
    standing = delivering or len(attempts)
    return TaskReport(
        task=task,
        attempts=attempts,
        changes=history.changes(task.dispatch, task.number, standing),
        checks=history.checks(task.dispatch, task.number, standing),
        findings=history.findings(task.dispatch, task.number, standing),
    )
