"""How a dispatch stands while it goes on, as rows: its events folded over its tasks. Pure.

Whoever draws them (`cli.screen`) decides nothing: a row says all that there is to be shown.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from kimi_mcp.dispatch.events import Checked, Committed, Ended, Started, Step, decode
from kimi_mcp.history.records import Dispatch, Event, Task
from kimi_mcp.history.times import moment
from kimi_mcp.lifecycle import TaskState
from kimi_mcp.quota.forecast import Forecast, together
from kimi_mcp.quoting.quotes import counted, inline

TITLE_CHARS = 60
DEED_CHARS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a task may take: steps of an attempt (0: no limit), and how many checks it has."""

    steps: int
    checks: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A task as it stands. All of its words are ours, or quoted on one line."""

    number: int
    title: str
    state: TaskState
    depends_on: tuple[int, ...]
    #: Of the newest attempt; `budget` 0 is no limit.
    steps: int
    budget: int
    passed: int
    failed: int
    checks: int
    #: The tool and its file, the check, what it waits for, or what came of it.
    doing: str
    elapsed_s: float | None


@dataclass(slots=True)
class _Attempt:
    began_at: str | None = None
    ended_at: str | None = None
    steps: int = 0
    deed: str = ""
    tool: str = ""  # the last one, with its target
    passed: int = 0
    failed: int = 0
    size: str = ""


class Board:
    """Takes a dispatch's events in order, and says how each task stands."""

    def __init__(self, plans: Mapping[int, Plan]) -> None:
        self._plans = plans
        self._attempts: dict[int, _Attempt] = {}

    def take(self, event: Event) -> None:
        """Take the next event in."""
        if event.task is None:
            return
        attempt = self._attempts.setdefault(event.task, _Attempt())
        match decode(event.kind, event.payload):
            case Started():
                self._attempts[event.task] = _Attempt(began_at=event.at, deed="preparing")
            case Step() as step:
                attempt.steps = step.number
                if step.tool:
                    attempt.tool = inline(f"{step.tool} {step.target}", limit=DEED_CHARS)
                attempt.deed = attempt.tool if step.tool else _thinking(attempt.tool)
            case Committed(changes=changes):
                added = sum(change.added or 0 for change in changes)
                deleted = sum(change.deleted or 0 for change in changes)
                count = len(changes)
                attempt.size = f"+{added} -{deleted} in {counted(count, 'file')}"
                attempt.deed = "checking"
            case Checked(check=check):
                attempt.passed += check.is_passed
                attempt.failed += not check.is_passed
                how = "passed" if check.is_passed else "failed"
                attempt.deed = f"{inline(check.command, limit=DEED_CHARS)} {how}"
            case Ended():
                attempt.ended_at = event.at
            case _:
                pass

    def rows(self, tasks: Iterable[Task], *, now: datetime) -> tuple[Row, ...]:
        """Say how *tasks* stand, in the order in which they can run."""
        return tuple(self._row(task, now) for task in in_order(tasks))

    def _row(self, task: Task, now: datetime) -> Row:
        attempt = self._attempts.get(task.number, _Attempt())
        plan = self._plans.get(task.number, Plan(steps=0, checks=0))
        return Row(
            number=task.number,
            title=inline(task.title, limit=TITLE_CHARS),
            state=task.state,
            depends_on=task.depends_on,
            steps=attempt.steps,
            budget=plan.steps,
            passed=attempt.passed,
            failed=attempt.failed,
            checks=max(plan.checks, attempt.passed + attempt.failed),
            doing=_doing(task, attempt),
            elapsed_s=_elapsed_s(task, attempt, now),
        )


def in_order(tasks: Iterable[Task]) -> list[Task]:
    """Sort tasks as they can run: first those that need no other, then by what they need."""
    known = {task.number: task for task in tasks}
    depths: dict[int, int] = {}

    def depth(number: int) -> int:
        if number not in depths:
            depths[number] = 0  # the lint lets no cycle through
            needed = [one for one in known[number].depends_on if one in known]
            depths[number] = 1 + max(map(depth, needed), default=0)
        return depths[number]

    return sorted(known.values(), key=lambda task: (depth(task.number), task.number))


def totals(tasks: Sequence[Task]) -> str:
    """Say in a few words how many tasks were delivered, and what they took."""
    delivered = [task for task in tasks if task.state is TaskState.DELIVERED]
    unchecked = sum(not task.is_checked for task in delivered)
    steps = sum(task.steps for task in tasks)
    parts = [f"{len(delivered)} of {len(tasks)} delivered"]
    if unchecked:
        parts[0] += f", {unchecked} of them UNCHECKED"
    forecasts = [Forecast.from_json(task.forecast or {}) for task in tasks]
    known = [one for one in forecasts if one is not None]
    predicted = ""
    if known and len(known) == len(tasks):
        low, high = together(known)
        predicted = f", predicted {low}\N{EN DASH}{high}"
    return " · ".join([*parts, f"{steps} steps{predicted}"])


def span_s(dispatch: Dispatch, now: datetime) -> float:
    """Say how long a dispatch has taken, in seconds, from its making to its end or *now*."""
    end = moment(dispatch.ended_at) if dispatch.ended_at else now
    return max((end - moment(dispatch.created_at)).total_seconds(), 0)


def clock(seconds: float) -> str:
    """Write a duration: `0:07`, `12:30`, `1:02:03`."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def listed(numbers: Iterable[int]) -> str:
    """Name task numbers: `1, 2`."""
    return ", ".join(map(str, numbers))


def _doing(task: Task, attempt: _Attempt) -> str:
    match task.state:
        case TaskState.WAITING:
            return f"after {listed(task.depends_on)}" if task.depends_on else ""
        case TaskState.RUNNING | TaskState.CHECKING:
            return attempt.deed
        case TaskState.DELIVERED:
            return attempt.size if task.is_checked else f"UNCHECKED, {attempt.size}"
        case _:
            sentence = inline(task.sentence or "", limit=DEED_CHARS)
            return ": ".join(filter(None, [task.outcome and str(task.outcome), sentence]))


def _thinking(tool: str) -> str:
    return f"{tool} · thinking" if tool else "thinking"


def _elapsed_s(task: Task, attempt: _Attempt, now: datetime) -> float | None:
    began_at = attempt.began_at or task.started_at
    if began_at is None or task.state is TaskState.WAITING:
        return None
    over = attempt.ended_at or (task.ended_at if task.state.is_terminal else None)
    end = moment(over) if over else now
    return max((end - moment(began_at)).total_seconds(), 0)
