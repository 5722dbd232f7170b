"""How a run stands: its latest line while it goes on, what came of it when it is over.

A caller waits for one run (a launch, a resume, a revision). When the dispatch has been taken up
again since, the run stays over, and the text tells of both.
"""

import threading
from dataclasses import dataclass, field

from kimi_mcp.dispatch.recovery.reconcile import reconcile
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import RunId
from kimi_mcp.history.records import Run
from kimi_mcp.lifecycle import DispatchState
from kimi_mcp.review.progress import Progress
from kimi_mcp.review.report import report
from kimi_mcp.review.showing import final_text
from kimi_mcp.review.wording import headline


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """How a run ended, in the words of a reply and in the numbers that decide on it."""

    state: DispatchState
    headline: str
    text: str
    steps: int
    is_delivered: bool  # anything at all, or the newest attempt at the task that was revised


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A run, its latest line, and when that was new."""

    run: Run
    line: str | None
    line_at: str
    end: End | None


@dataclass(slots=True)
class _Reader:
    """How far a run's events were read, and the line that they came to."""

    progress: Progress
    after: int
    at: str
    line: str | None = None


@dataclass(slots=True)
class Standings:
    """Says how runs stand; remembers what it has read, so that asking again is cheap."""

    bench: Workbench
    _readers: dict[RunId, _Reader] = field(default_factory=dict[RunId, _Reader])
    _reading: threading.Lock = field(default_factory=threading.Lock)

    def of(self, name: str) -> Standing | None:
        """Look a run up by its id; None when there is none."""
        reconcile(self.bench)
        run = self.bench.history.run(name)
        if run is None:
            return None
        if run.state is not None and run.ended_at is not None:
            self._readers.pop(run.id, None)
            end = ending(self.bench, run)
            return Standing(run=run, line=end.headline, line_at=run.ended_at, end=end)
        with self._reading:
            reader = self._read(run)
        return Standing(run=run, line=reader.line, line_at=reader.at, end=None)

    def _read(self, run: Run) -> _Reader:
        reader = self._readers.get(run.id)
        if reader is None:
            tasks = [task.number for task in self.bench.history.tasks(run.dispatch)]
            reader = _Reader(Progress(tasks), after=run.first_event - 1, at=run.began_at)
            self._readers[run.id] = reader
        for event in self.bench.history.events(run.dispatch, after=reader.after):
            reader.after = event.number
            line = reader.progress.line(event)
            if line is not None:
                reader.line, reader.at = line, event.at
        return reader


def ending(bench: Workbench, run: Run) -> End:
    """Tell what came of a run that is over.

    Raises:
        ValueError: it is not.
    """
    if run.state is None:
        raise ValueError(f"{run.id} is not over.")
    found = report(bench, run.dispatch)
    text = final_text(found, bench.envelope())
    newest = bench.history.runs(run.dispatch)[-1]
    if newest.id != run.id:
        text = (
            f"{run.id} ended ({run.state}); {newest.id} has taken the dispatch up since. "
            f"It stands as follows.\n{text}"
        )
    is_delivered = (
        bool(found.delivered) if run.task is None else found.is_newest_delivered(run.task)
    )
    return End(
        state=run.state,
        headline=headline(found),
        text=text,
        steps=found.steps,
        is_delivered=is_delivered,
    )
