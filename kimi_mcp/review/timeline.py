"""Who ran when, and what waited on what: a dispatch's events on an axis of time. Pure.

Each run (a launch, a resume, a revision) has an axis of its own, for days may lie between two.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from kimi_mcp.dispatch.events import Committed, Ended, Started, decode
from kimi_mcp.history.records import Event, Run, Task
from kimi_mcp.history.times import moment
from kimi_mcp.quoting.quotes import inline
from kimi_mcp.review.board import clock, in_order, listed

TITLE_CHARS = 60
LEAST_WAIT_S = 2.0  # for a place among those that run at once; below it is the runner's own time


class Phase(StrEnum):
    """What goes on in a span."""

    WAITING = "waiting"
    KIMI = "Kimi"
    CHECKS = "checks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A phase from one second of its run to another."""

    phase: Phase
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """What one task did in one run."""

    task: int
    title: str
    spans: tuple[Span, ...]
    #: How it ended there, in a word; None: it goes on.
    end: str | None
    #: The tasks whose end in this run it had to wait for.
    after: tuple[int, ...]
    #: How long it was ready and had no place among those that run at once.
    queued_s: float

    @property
    def worked_s(self) -> float:
        """How long it was worked on and checked."""
        spans = [span for span in self.spans if span.phase is not Phase.WAITING]
        return sum(span.end_s - span.start_s for span in spans)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A run on its axis of time."""

    number: int
    began_at: str
    length_s: float
    lanes: tuple[Lane, ...]


def timeline(
    runs: Sequence[Run], tasks: Iterable[Task], events: Sequence[Event], *, now: datetime
) -> tuple[Stretch, ...]:
    """Lay a dispatch's events out by run and task; what goes on ends *now*."""
    ordered = in_order(tasks)
    firsts = [run.first_event for run in runs[1:]]
    stretches: list[Stretch] = []
    for run, next_first in zip(runs, [*firsts, None], strict=True):
        own = [
            event
            for event in events
            if event.number >= run.first_event and (next_first is None or event.number < next_first)
        ]
        stretches.append(_stretch(run, ordered, own, now))
    return tuple(stretches)


def of_task(stretches: Iterable[Stretch], task: int | None) -> tuple[Stretch, ...]:
    """Keep what is of one task: the runs in which it began; all of it for None."""
    if task is None:
        return tuple(stretches)
    own = [(one, tuple(lane for lane in one.lanes if lane.task == task)) for one in stretches]
    return tuple(replace(one, lanes=lanes) for one, lanes in own if lanes)


def _stretch(run: Run, tasks: Sequence[Task], events: Sequence[Event], now: datetime) -> Stretch:
    zero = moment(run.began_at)
    end = moment(run.ended_at) if run.ended_at else now

    def second(event: Event) -> float:
        return max((moment(event.at) - zero).total_seconds(), 0)

    seen = {task.number: _Seen() for task in tasks}
    for event in events:
        if event.task is None or event.task not in seen:
            continue
        one = seen[event.task]
        match decode(event.kind, event.payload):
            case Started():
                one.started_s, one.checked_s, one.ended_s, one.end = second(event), None, None, None
            case Committed():
                one.checked_s = second(event)
            case Ended() as ended:
                one.ended_s, one.end = second(event), ended.word
            case _:
                pass
    length_s = max((end - zero).total_seconds(), *(one.ended_s or 0 for one in seen.values()), 0)
    lanes = [_lane(task, seen, length_s) for task in tasks if seen[task.number].is_known]
    return Stretch(number=run.number, began_at=run.began_at, length_s=length_s, lanes=tuple(lanes))


@dataclass(slots=True)
class _Seen:
    started_s: float | None = None
    checked_s: float | None = None
    ended_s: float | None = None
    end: str | None = None

    @property
    def is_known(self) -> bool:
        return self.started_s is not None or self.ended_s is not None


def _lane(task: Task, seen: Mapping[int, _Seen], length_s: float) -> Lane:
    own = seen[task.number]
    needed = {
        number: ended
        for number in task.depends_on
        if number in seen and (ended := seen[number].ended_s) is not None
    }
    ready_s = max(needed.values(), default=0.0)
    started_s = own.started_s if own.started_s is not None else ready_s
    over_s = own.ended_s if own.ended_s is not None else length_s
    checked_s = over_s if own.checked_s is None else own.checked_s
    spans = (
        Span(phase=Phase.WAITING, start_s=0, end_s=started_s),
        Span(phase=Phase.KIMI, start_s=started_s, end_s=checked_s),
        Span(phase=Phase.CHECKS, start_s=checked_s, end_s=over_s),
    )
    queued_s = started_s - ready_s
    return Lane(
        task=task.number,
        title=inline(task.title, limit=TITLE_CHARS),
        spans=tuple(span for span in spans if span.end_s > span.start_s),
        end=own.end,
        after=tuple(needed),
        queued_s=queued_s if queued_s >= LEAST_WAIT_S else 0,
    )


_SIGNS = {Phase.WAITING: "·", Phase.KIMI: "█", Phase.CHECKS: "▒"}
_FEWEST = 10  # columns of an axis
_NOT_BEGUN = "Nothing of it has begun yet."
LEGEND = "█ Kimi   ▒ checks   · waiting"


def timeline_text(stretches: Sequence[Stretch], *, columns: int) -> str:
    """Draw a timeline in at most *columns*, a line for each task of each run."""
    lines: list[str] = []
    if not stretches:
        return _NOT_BEGUN
    for stretch in stretches:
        when = stretch.began_at[:19].replace("T", " ")
        lines += [f"run {stretch.number} · {when} UTC · {clock(stretch.length_s)}"]
        lines += _lines(stretch, columns) if stretch.lanes else [_NOT_BEGUN]
        lines.append("")
    return "\n".join([*lines, LEGEND])


def _lines(stretch: Stretch, columns: int) -> list[str]:
    names = [f"{lane.task} {lane.title}" for lane in stretch.lanes]
    tails = [_tail(lane) for lane in stretch.lanes]
    name_width = min(max(map(len, names)), columns // 3)
    tail_width = min(max(map(len, tails)), columns - name_width - _FEWEST - 4)
    width = columns - name_width - tail_width - 4
    lines = [
        f"{_cut(name, name_width):<{name_width}}  {_bar(lane, stretch.length_s, width):<{width}}"
        f"  {_cut(tail, tail_width)}"
        for name, lane, tail in zip(names, stretch.lanes, tails, strict=True)
    ]
    end = clock(stretch.length_s)
    return [*lines, f"{'':<{name_width}}  0:00{end:>{width - 4}}"]


def _bar(lane: Lane, length_s: float, width: int) -> str:
    def column(second: float) -> int:
        return round(second / length_s * width) if length_s else 0

    bar = ""
    for span in lane.spans:
        is_work = span.phase is not Phase.WAITING
        count = max(column(span.end_s) - len(bar), 1 if is_work and len(bar) < width else 0)
        bar += _SIGNS[span.phase] * count
    return bar[:width]


def _tail(lane: Lane) -> str:
    parts = [f"{clock(lane.worked_s)} {lane.end or 'goes on'}"]
    if lane.after:
        parts.append(f"after {listed(lane.after)}")
    if lane.queued_s:
        parts.append(f"{clock(lane.queued_s)} in the queue")
    return ", ".join(parts)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
