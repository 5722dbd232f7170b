"""Changes of state: each one a compare-and-set along the tables of `lifecycle`.

A move that the table does not have is a bug and raises. A move that came second returns False, and
nothing has changed.
"""

import itertools
import json
from collections.abc import Iterable, Mapping
from typing import Any

from kimi_mcp.errors import Refused
from kimi_mcp.history.ids import DispatchId, RunId, resumed_id, revised_id
from kimi_mcp.history.store import Store, Unit
from kimi_mcp.lifecycle import DISPATCH_MOVES, TASK_MOVES, DispatchState, Outcome, TaskState


class Moves(Store):
    """Moves dispatches and tasks, and records the wish to end them."""

    __slots__ = ()

    def move_dispatch(
        self,
        dispatch: DispatchId,
        *,
        source: DispatchState,
        target: DispatchState,
        at: str,
        merged_commit: str | None = None,
        note: str | None = None,
    ) -> bool:
        """Move a dispatch from *source* to *target*; to running by `claim`, to queued by `reopen`.

        Raises:
            ValueError: there is no such move.
        """
        is_other_way = target in {DispatchState.RUNNING, DispatchState.QUEUED}
        if is_other_way or target not in DISPATCH_MOVES[source]:
            raise ValueError(f"A dispatch does not move from {source} to {target}.")
        with self.writing() as unit:
            cursor = unit.run(
                "move_dispatch",
                dispatch=dispatch,
                source=source,
                target=target,
                at=at,
                is_terminal=target.is_terminal,
                merged_commit=merged_commit,
                note=note,
            )
            return cursor.rowcount == 1

    def move_task(
        self,
        dispatch: DispatchId,
        number: int,
        *,
        source: TaskState,
        target: TaskState,
        at: str,
        outcome: Outcome | None = None,
        sentence: str | None = None,
        is_checked: bool = False,
        branch: str | None = None,
        commit_id: str | None = None,
    ) -> bool:
        """Move a task from *source* to *target*; to waiting by `reopen`.

        A failed task needs an *outcome*, no other has one. A delivered task needs *branch* and
        *commit_id*; *is_checked* says whether commands of the spec passed on that commit.

        Raises:
            ValueError: there is no such move.
        """
        if target is TaskState.WAITING or target not in TASK_MOVES[source]:
            raise ValueError(f"A task does not move from {source} to {target}.")
        with self.writing() as unit:
            cursor = unit.run(
                "move_task",
                dispatch=dispatch,
                number=number,
                source=source,
                target=target,
                at=at,
                is_start=target is TaskState.RUNNING,
                is_terminal=target.is_terminal,
                outcome=outcome,
                sentence=sentence,
                is_checked=is_checked,
                branch=branch,
                commit_id=commit_id,
            )
            return cursor.rowcount == 1

    def lose(
        self,
        dispatch: DispatchId,
        *,
        source: DispatchState,
        at: str,
        note: str,
        told: tuple[str, Mapping[str, Any]] | None = None,
    ) -> bool:
        """Write a dispatch, its live tasks and unfinished attempts off as lost.

        *told* is the event, kind and payload, by which each of these attempts ends. Only for who
        holds the lifeline.

        Raises:
            ValueError: a dispatch in *source* is over already.
        """
        target = DispatchState.LOST
        if target not in DISPATCH_MOVES[source]:
            raise ValueError(f"A dispatch does not move from {source} to {target}.")
        with self.writing() as unit:
            cursor = unit.run(
                "move_dispatch",
                dispatch=dispatch,
                source=source,
                target=target,
                at=at,
                is_terminal=True,
                merged_commit=None,
                note=note,
            )
            if cursor.rowcount != 1:
                return False
            if told is not None:
                kind, payload = told[0], json.dumps(told[1])
                for row in unit.run("unfinished_attempts", dispatch=dispatch).fetchall():
                    unit.run(
                        "append_event",
                        dispatch=dispatch,
                        task=row["task"],
                        attempt=row["attempt"],
                        at=at,
                        kind=kind,
                        payload=payload,
                    ).fetchall()
            unit.run("lose_tasks", dispatch=dispatch, at=at, note=note)
            unit.run("end_attempts", dispatch=dispatch, at=at)
            return True

    def reopen(
        self,
        dispatch: DispatchId,
        *,
        errand: Mapping[str, Any],
        tasks: Iterable[int],
        amendments: Mapping[int, Mapping[str, Any]],
        at: str,
        revised: int | None = None,
    ) -> RunId | None:
        """Queue a dispatch that is over again: *tasks* wait, with what reviewers amended.

        Returns:
            The run that begins, of the task *revised* or of all that is left to do; None when the
            dispatch was not over: somebody else may have been first.

        Raises:
            Refused: another dispatch of the same spec is live.
        """
        with self.writing() as unit:
            row = unit.run("dispatch", dispatch=dispatch).fetchone()
            live = unit.run(
                "live_dispatch_of_spec", repository=row["repository"], spec_hash=row["spec_hash"]
            ).fetchone()
            if live is not None and live["id"] != dispatch:
                raise Refused(
                    f"The same spec is being worked on: {live['id']}. Follow or cancel it."
                )
            cursor = unit.run("reopen_dispatch", dispatch=dispatch, errand=json.dumps(errand))
            if cursor.rowcount != 1:
                return None
            for number in tasks:
                unit.run("reopen_task", dispatch=dispatch, number=number)
            for number, amended in amendments.items():
                unit.run(
                    "amend_task", dispatch=dispatch, number=number, amendments=json.dumps(amended)
                )
            run = _next_run(unit, dispatch, revised)
            unit.run("insert_run", id=run, dispatch=dispatch, task=revised, at=at)
            return run

    def note_task(self, dispatch: DispatchId, number: int, sentence: str) -> None:
        """Say something about a task that is over; its state stays."""
        with self.writing() as unit:
            unit.run("note_task", dispatch=dispatch, number=number, sentence=sentence)

    def request_cancel(
        self,
        dispatch: DispatchId,
        *,
        at: str,
        reason: str,
        tasks: tuple[int, ...] | None = None,
    ) -> bool:
        """Record the wish to end a dispatch, or just *tasks* of it; the runner fulfils it.

        Returns:
            Whether anything named was still live.
        """
        with self.writing() as unit:
            if tasks is None:
                cursor = unit.run("request_cancel", dispatch=dispatch, at=at, reason=reason)
                return cursor.rowcount == 1
            counts = [
                unit.run("request_task_cancel", dispatch=dispatch, number=number, at=at).rowcount
                for number in tasks
            ]
            return any(counts)


def _next_run(unit: Unit, dispatch: DispatchId, revised: int | None) -> RunId:
    """Name the run that begins now; one that never came to its attempt has used up its number."""
    taken = {row["id"] for row in unit.run("runs", dispatch=dispatch)}
    attempts = len(unit.run("attempts", dispatch=dispatch, task=revised).fetchall())
    named = (
        resumed_id(dispatch, count)
        if revised is None
        else revised_id(dispatch, revised, attempts + count)
        for count in itertools.count(1)
    )
    return next(run for run in named if run not in taken)
