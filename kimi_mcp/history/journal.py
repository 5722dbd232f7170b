"""What the runner writes down while it works: attempts, checks, changes and events."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Unpack

from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.records import AttemptFacts, Change, Check
from kimi_mcp.history.store import Store, Value

_NOTHING: Mapping[str, Value] = dict.fromkeys(AttemptFacts.__annotations__)


class Journal(Store):
    """Adds to the record; nothing here changes a state."""

    __slots__ = ()

    def begin_attempt(
        self,
        dispatch: DispatchId,
        task: int,
        *,
        base_commit: str,
        at: str,
        feedback: str | None = None,
    ) -> int:
        """Begin a task's next attempt and return its number."""
        with self.writing() as unit:
            row = unit.run(
                "insert_attempt",
                dispatch=dispatch,
                task=task,
                base_commit=base_commit,
                at=at,
                feedback=feedback,
            ).fetchone()
            return row["attempt"]

    def advance_attempt(
        self, dispatch: DispatchId, task: int, attempt: int, **facts: Unpack[AttemptFacts]
    ) -> bool:
        """Record what became known of an unfinished attempt; False when it is over already."""
        return self._update_attempt(dispatch, task, attempt, ended_at=None, facts=facts)

    def finish_attempt(
        self,
        dispatch: DispatchId,
        task: int,
        attempt: int,
        *,
        at: str,
        **facts: Unpack[AttemptFacts],
    ) -> bool:
        """End an attempt with the last of what is known; False when it is over already."""
        return self._update_attempt(dispatch, task, attempt, ended_at=at, facts=facts)

    def keep_lost_attempt(
        self, dispatch: DispatchId, task: int, attempt: int, *, commit_id: str, ref: str
    ) -> None:
        """Name what an attempt's work became after its runner had died."""
        with self.writing() as unit:
            unit.run(
                "keep_lost_attempt",
                dispatch=dispatch,
                task=task,
                attempt=attempt,
                commit_id=commit_id,
                ref=ref,
            )

    def record_checks(
        self, dispatch: DispatchId, task: int, attempt: int, checks: Iterable[Check]
    ) -> None:
        """Record commands that were run on an attempt's commit."""
        address = {"dispatch": dispatch, "task": task, "attempt": attempt}
        with self.writing() as unit:
            unit.run_each("insert_check", [address | asdict(check) for check in checks])

    def record_changes(
        self, dispatch: DispatchId, task: int, attempt: int, changes: Iterable[Change]
    ) -> None:
        """Record the files that an attempt changed."""
        address = {"dispatch": dispatch, "task": task, "attempt": attempt}
        with self.writing() as unit:
            unit.run_each("insert_change", [address | asdict(change) for change in changes])

    def append_event(
        self,
        dispatch: DispatchId,
        *,
        kind: str,
        at: str,
        task: int | None = None,
        attempt: int | None = None,
        payload: Mapping[str, Any] | None = None,
    ) -> int:
        """Append an event (*payload*: JSON values only) and return its number."""
        with self.writing() as unit:
            row = unit.run(
                "append_event",
                dispatch=dispatch,
                task=task,
                attempt=attempt,
                at=at,
                kind=kind,
                payload=json.dumps(payload or {}),
            ).fetchone()
            return row["number"]

    def _update_attempt(
        self,
        dispatch: DispatchId,
        task: int,
        attempt: int,
        *,
        ended_at: str | None,
        facts: AttemptFacts,
    ) -> bool:
        values: dict[str, Any] = {**_NOTHING, **facts}
        with self.writing() as unit:
            cursor = unit.run(
                "update_attempt",
                dispatch=dispatch,
                task=task,
                attempt=attempt,
                ended_at=ended_at,
                **values,
            )
            return cursor.rowcount == 1
