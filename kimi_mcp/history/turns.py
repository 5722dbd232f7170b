"""What a runner writes down of an attempt: its beginning, each event of it, its end.

An event and all that follows from it are written together or not at all. So a runner that is killed
leaves no attempt that nobody tells of, no step that is counted and not told, and no end that only
half of the record knows.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.journal import NOTHING, within
from kimi_mcp.history.records import AttemptFacts, Change, Check, Finding
from kimi_mcp.history.store import Store, Value
from kimi_mcp.lifecycle import TASK_MOVES, Outcome, TaskState

Statement = tuple[str, Mapping[str, Value]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One attempt at one task."""

    dispatch: DispatchId
    task: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """An event: what happened, as the history keeps it; *payload* has JSON values only."""

    kind: str
    payload: Mapping[str, Any]
    at: str
    #: Its number on the machine that tells it; None where that is this one.
    taken: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A task's change of state; what goes with it is as in `Moves.move_task`."""

    source: TaskState
    target: TaskState
    outcome: Outcome | None = None
    sentence: str | None = None
    is_checked: bool = False
    branch: str | None = None
    commit_id: str | None = None

    def __post_init__(self) -> None:
        if self.target is TaskState.WAITING or self.target not in TASK_MOVES[self.source]:
            raise ValueError(f"A task does not move from {self.source} to {self.target}.")


class Turns(Store):
    """Writes events down with their consequences."""

    __slots__ = ()

    def begin_turn(
        self,
        at: Address,
        told: Told,
        *,
        base_commit: str,
        feedback: str | None,
        node: str | None = None,
    ) -> bool:
        """Begin a waiting task's next attempt, which must be number *at.attempt*.

        Returns:
            False when the task does not wait (any more); nothing has changed then.
        """
        begun: dict[str, Value] = {
            "dispatch": at.dispatch,
            "task": at.task,
            "base_commit": base_commit,
            "at": told.at,
            "feedback": feedback,
        }
        where = {**NOTHING, **_address(at), "node": node, "ended_at": None}
        move = Move(source=TaskState.WAITING, target=TaskState.RUNNING)
        with self.writing() as unit:
            return unit.run_all(
                _moved(at, move, told.at),
                ("insert_attempt", begun),
                ("update_attempt", where),
                *self._told(at, told),
            )

    def tell(
        self,
        at: Address,
        told: Told,
        *,
        move: Move | None = None,
        facts: AttemptFacts | None = None,
        is_last: bool = False,
        changes: Iterable[Change] = (),
        checks: Iterable[Check] = (),
        findings: Iterable[Finding] = (),
    ) -> bool:
        """Append an event of an unfinished attempt, with what became known by it.

        *is_last* ends the attempt.

        Returns:
            False when the task is not where *move* begins; nothing has changed then.
        """
        address = _address(at)
        statements = [] if move is None else [_moved(at, move, told.at)]
        if facts is not None or is_last:
            known: dict[str, Any] = {**NOTHING, **(facts or {}), **address}
            known["ended_at"] = told.at if is_last else None
            statements.append(("update_attempt", known))
        statements += [("insert_change", address | asdict(change)) for change in changes]
        statements += [("insert_check", address | asdict(check)) for check in checks]
        statements += [("insert_finding", address | asdict(finding)) for finding in findings]
        with self.writing() as unit:
            return unit.run_all(*statements, *self._told(at, told))

    def charge(self, at: Address, told: Told, *, steps: int, possible: int) -> None:
        """Add steps to an attempt, also to one that is over, and tell of it.

        *possible* ones may have been made beyond that.
        """
        charged = ("charge_attempt", {**_address(at), "steps": steps, "possible": possible})
        with self.writing() as unit:
            unit.run_all(charged, *self._told(at, told))

    def wait_again(self, dispatch: DispatchId, number: int) -> None:
        """Let a task that is over, in a dispatch that is not, wait for another attempt."""
        with self.writing() as unit:
            unit.run("reopen_task", dispatch=dispatch, number=number)

    def _told(self, at: Address, told: Told) -> list[Statement]:
        payload = json.dumps(within(told.payload, self.redact))
        appended: dict[str, Value] = {
            **_address(at),
            "at": told.at,
            "kind": told.kind,
            "payload": payload,
        }
        taken: dict[str, Value] = {**_address(at), "taken": told.taken}
        over: list[Statement] = [] if told.taken is None else [("take_over", taken)]
        return [("append_event", appended), *over]


def _address(at: Address) -> dict[str, Value]:
    return {"dispatch": at.dispatch, "task": at.task, "attempt": at.attempt}


def _moved(at: Address, move: Move, moment: str) -> Statement:
    return "move_task", {
        "dispatch": at.dispatch,
        "number": at.task,
        "source": move.source,
        "target": move.target,
        "at": moment,
        "is_start": move.target is TaskState.RUNNING,
        "is_terminal": move.target.is_terminal,
        "outcome": move.outcome,
        "sentence": move.sentence,
        "is_checked": move.is_checked,
        "branch": move.branch,
        "commit_id": move.commit_id,
    }
