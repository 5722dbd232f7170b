"""What can be asked of the history. Nothing here writes."""

from kimi_mcp.errors import Refused, nearest_sentence
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.records import (
    Attempt,
    CancelRequests,
    Change,
    Check,
    Dispatch,
    DispatchOverview,
    Event,
    Finding,
    Run,
    Task,
)
from kimi_mcp.history.rows import record_of
from kimi_mcp.history.store import Store, Unit
from kimi_mcp.lifecycle import DispatchState

_EVERYTHING = -1  # SQLite's word for no limit
_IDS_COMPARED = 500
_LARGEST = 2**63 - 1  # that SQLite can be asked for


class Reads(Store):
    """Answers with records, newest first where there is no other order."""

    __slots__ = ()

    def dispatch(self, dispatch: DispatchId) -> Dispatch:
        """Look a dispatch up.

        Raises:
            Refused: there is none of that id; the message names the nearest.
        """
        with self.reading() as unit:
            row = unit.run("dispatch", dispatch=dispatch).fetchone()
            if row is None:
                raise _unknown(unit, dispatch)
            return record_of(Dispatch, row)

    def spec_text(self, dispatch: DispatchId) -> str:
        """Return the spec as it was dispatched.

        Raises:
            Refused: there is no such dispatch.
        """
        with self.reading() as unit:
            row = unit.run("spec_text", dispatch=dispatch).fetchone()
            if row is None:
                raise _unknown(unit, dispatch)
            return row["spec_text"]

    def tasks(self, dispatch: DispatchId) -> tuple[Task, ...]:
        """Return a dispatch's tasks by number."""
        with self.reading() as unit:
            rows = unit.run("tasks", dispatch=dispatch, number=None)
            return tuple(record_of(Task, row) for row in rows)

    def task(self, dispatch: DispatchId, number: int) -> Task:
        """Look one task up.

        Raises:
            Refused: the dispatch has none of that number; the message lists those it has.
        """
        with self.reading() as unit:
            is_possible = 0 < number <= _LARGEST
            row = is_possible and unit.run("tasks", dispatch=dispatch, number=number).fetchone()
            if row:
                return record_of(Task, row)
            known = [
                str(row["number"]) for row in unit.run("tasks", dispatch=dispatch, number=None)
            ]
            if not known:
                raise _unknown(unit, dispatch)
            raise Refused(f"{dispatch} has no task {number}. Its tasks: {', '.join(known)}.")

    def attempts(self, dispatch: DispatchId, task: int) -> tuple[Attempt, ...]:
        """Return a task's attempts from the first."""
        with self.reading() as unit:
            rows = unit.run("attempts", dispatch=dispatch, task=task)
            return tuple(record_of(Attempt, row) for row in rows)

    def delivering(self, task: Task) -> int | None:
        """Number the attempt that delivered what the task holds; None where nothing is delivered.

        A later one may have left the same commit and come to nothing, without a check or a finding.
        """
        attempts = self.attempts(task.dispatch, task.number)
        return next(
            (
                one.attempt
                for one in reversed(attempts)
                if one.outcome is None and one.commit_id == task.commit_id is not None
            ),
            None,
        )

    def checks(self, dispatch: DispatchId, task: int, attempt: int) -> tuple[Check, ...]:
        """Return the commands that were run on an attempt's commit, in order."""
        with self.reading() as unit:
            rows = unit.run("checks", dispatch=dispatch, task=task, attempt=attempt)
            return tuple(record_of(Check, row) for row in rows)

    def changes(self, dispatch: DispatchId, task: int, attempt: int) -> tuple[Change, ...]:
        """Return the files that an attempt changed, by path."""
        with self.reading() as unit:
            rows = unit.run("changes", dispatch=dispatch, task=task, attempt=attempt)
            return tuple(record_of(Change, row) for row in rows)

    def findings(self, dispatch: DispatchId, task: int, attempt: int) -> tuple[Finding, ...]:
        """Return what a reviewer must know of an attempt's commit, in the order found."""
        with self.reading() as unit:
            rows = unit.run("findings", dispatch=dispatch, task=task, attempt=attempt)
            return tuple(record_of(Finding, row) for row in rows)

    def events(
        self,
        dispatch: DispatchId,
        *,
        after: int = 0,
        task: int | None = None,
        limit: int | None = None,
    ) -> tuple[Event, ...]:
        """Return the events after number *after*, in order, all or one task's."""
        with self.reading() as unit:
            return events_of(unit, dispatch, after=after, task=task, limit=limit)

    def last_event(self, dispatch: DispatchId) -> int:
        """Return the number of a dispatch's newest event, 0 without any."""
        with self.reading() as unit:
            return unit.run("last_event", dispatch=dispatch).fetchone()["number"]

    def recent(
        self,
        *,
        repository: str | None = None,
        before: DispatchId | None = None,
        limit: int,
    ) -> tuple[Dispatch, ...]:
        """Return the newest dispatches; *before* is the last id of the page that came first."""
        with self.reading() as unit:
            if repository is None:
                rows = unit.run("recent_dispatches", before=before, limit=limit)
            else:
                rows = unit.run(
                    "recent_of_repository", repository=repository, before=before, limit=limit
                )
            return tuple(record_of(Dispatch, row) for row in rows)

    def overview(
        self,
        *,
        repository: str | None = None,
        state: DispatchState | None = None,
        since: str | None = None,
        before: DispatchId | None = None,
        limit: int,
    ) -> tuple[DispatchOverview, ...]:
        """Return the newest dispatches that fit as a list tells them; *before* as for `recent`.

        *since*: made then or later; *state*: now in it.
        """
        with self.reading() as unit:
            rows = unit.run(
                "overview",
                repository=repository,
                state=state,
                since=since,
                before=before,
                limit=limit,
            )
            return tuple(record_of(DispatchOverview, row) for row in rows)

    def latest(self, *, repository: str | None) -> Dispatch | None:
        """Return the newest dispatch of this repository, or of any."""
        return next(iter(self.recent(repository=repository, limit=1)), None)

    def latest_of_session(self, session: str) -> Dispatch | None:
        """Return the newest dispatch of one of Claude's sessions."""
        with self.reading() as unit:
            row = unit.run("latest_of_session", session=session).fetchone()
            return None if row is None else record_of(Dispatch, row)

    def live(self, repository: str | None = None) -> tuple[Dispatch, ...]:
        """Return the queued and running dispatches, oldest first."""
        with self.reading() as unit:
            rows = unit.run("live_dispatches", repository=repository)
            return tuple(record_of(Dispatch, row) for row in rows)

    def latest_of_spec(
        self, repository: str, *, spec_path: str | None = None, spec_hash: str | None = None
    ) -> Dispatch | None:
        """Return the newest dispatch of the spec at *spec_path*, with the text of *spec_hash*."""
        with self.reading() as unit:
            row = unit.run(
                "latest_of_spec", repository=repository, spec_path=spec_path, spec_hash=spec_hash
            ).fetchone()
            return None if row is None else record_of(Dispatch, row)

    def ids_like(self, word: str, *, limit: int = 20) -> tuple[DispatchId, ...]:
        """Return the newest ids that contain *word*."""
        with self.reading() as unit:
            return _ids(unit, word, limit=limit)

    def run(self, run: str) -> Run | None:
        """Look a run up; None when there is none of that id."""
        with self.reading() as unit:
            row = unit.run("run", id=run).fetchone()
            return None if row is None else record_of(Run, row)

    def runs(self, dispatch: DispatchId) -> tuple[Run, ...]:
        """Return a dispatch's runs from the first."""
        with self.reading() as unit:
            return tuple(record_of(Run, row) for row in unit.run("runs", dispatch=dispatch))

    def cancel_requests(self, dispatch: DispatchId) -> CancelRequests:
        """Return what somebody wants ended: the dispatch, or some of its tasks, and why.

        Raises:
            Refused: there is no such dispatch.
        """
        with self.reading() as unit:
            row = unit.run("dispatch", dispatch=dispatch).fetchone()
            if row is None:
                raise _unknown(unit, dispatch)
            numbers = unit.run("cancelled_tasks", dispatch=dispatch)
            return CancelRequests(
                is_whole_dispatch=row["cancel_requested_at"] is not None,
                reason=row["cancel_reason"],
                tasks=frozenset(row["number"] for row in numbers),
            )


def events_of(
    unit: Unit, dispatch: DispatchId, *, after: int, task: int | None, limit: int | None
) -> tuple[Event, ...]:
    """Read events on an open connection, for who holds one."""
    rows = unit.run(
        "events",
        dispatch=dispatch,
        after=after,
        task=task,
        limit=_EVERYTHING if limit is None else limit,
    )
    return tuple(record_of(Event, row) for row in rows)


def _ids(unit: Unit, word: str, *, limit: int) -> tuple[DispatchId, ...]:
    return tuple(DispatchId(row["id"]) for row in unit.run("ids_like", word=word, limit=limit))


def _unknown(unit: Unit, dispatch: str) -> Refused:
    known = _ids(unit, "", limit=_IDS_COMPARED)
    near = nearest_sentence(dispatch, known) or " Nothing was dispatched yet."
    return Refused(f"No dispatch {dispatch!r}.{near}")
