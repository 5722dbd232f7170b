"""Writes what happens to a task into the history, and its commits into the user's repository.

The runner alone writes: states by compare-and-set, events in order. The attempt's commit is kept
under a ref of the user's repository before any check runs; a branch moves only to a delivered one.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TypedDict, Unpack

import anyio

from kimi_mcp.dispatch.events import (
    Charged,
    Checked,
    Committed,
    Ended,
    Fenced,
    Found,
    SessionKnown,
    Spent,
    Started,
    Step,
    TaskEvent,
    encode,
)
from kimi_mcp.errors import KimiMcpError
from kimi_mcp.history.history import History
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.records import Attempt, AttemptFacts, Change, Check, Finding, Task
from kimi_mcp.history.turns import Address, Move, Told
from kimi_mcp.lifecycle import Outcome, TaskState
from kimi_mcp.workspace.clone import Ledger
from kimi_mcp.workspace.publish import branch_name, keep_attempt, publish_branch
from kimi_mcp.workspace.repository import Repository


class Known(TypedDict, total=False):
    """What follows from an event; see `Turns.tell`."""

    move: Move
    facts: AttemptFacts
    is_last: bool
    changes: Iterable[Change]
    checks: Iterable[Check]
    findings: Iterable[Finding]


Clock = Callable[[], str]  # this moment, as the history writes it


class Recorder:
    """Records one attempt at one task. One task's events come one after the other."""

    def __init__(
        self,
        history: History,
        *,
        repository: Repository,
        ledger: Ledger,
        dispatch: DispatchId,
        task: Task,
        branch_prefix: str,
        feedback: str | None,
        clock: Clock,
    ) -> None:
        self._history = history
        self._repository = repository
        self._ledger = ledger
        self._dispatch = dispatch
        self._task = task.number
        #: The task as it was before: an earlier attempt may have been delivered.
        self._before = task
        self._branch_prefix = branch_prefix
        self._feedback = feedback
        self._clock = clock
        self._attempt = 0
        self._taken: int | None = None
        self._state = TaskState.WAITING
        self.delivered = task.commit_id
        self.outcome: Outcome | None = None
        self.is_lost = False
        self.changes: tuple[Change, ...] = ()

    async def record(self, event: TaskEvent, *, taken: int | None = None) -> None:
        """Take one event in; returns when it is durable.

        *taken* is its number on the machine that tells it, where that is another one.
        """
        self._taken = taken
        await anyio.to_thread.run_sync(self._record, event)

    async def go_on(self, attempt: Attempt) -> None:
        """Take up an attempt that went on elsewhere while no runner recorded it."""
        await anyio.to_thread.run_sync(self._go_on, attempt)

    def _go_on(self, attempt: Attempt) -> None:
        self._attempt = attempt.attempt
        self._move(TaskState.RUNNING)
        if attempt.commit_id is not None:
            self._move(TaskState.CHECKING)
            self.changes = self._history.changes(self._dispatch, self._task, attempt.attempt)

    def _move(self, target: TaskState) -> None:
        self._history.move_task(
            self._dispatch, self._task, source=self._state, target=target, at=self._clock()
        )
        self._state = target

    def _record(self, event: TaskEvent) -> None:
        match event:
            case Started():
                self._begin(event)
            case Step() | Fenced() | SessionKnown():
                self._tell(event, facts=_learned(event))
            case Spent():
                self._history.advance_attempt(
                    self._dispatch,
                    self._task,
                    self._attempt,
                    input_tokens=event.input,
                    cached_tokens=event.cached,
                    output_tokens=event.output,
                )
            case Charged():
                self._history.charge(
                    self._address, self._told(event), steps=event.steps, possible=event.possible
                )
            case Committed():
                self._keep_commit(event)
            case Found():
                self._tell(event, findings=event.findings)
            case Checked():
                self._tell(event, checks=[event.check])
            case Ended():
                self._end(self._publish(event))
            case _:
                self._tell(event)

    @property
    def _address(self) -> Address:
        return Address(dispatch=self._dispatch, task=self._task, attempt=self._attempt)

    def _told(self, event: TaskEvent) -> Told:
        kind, payload = encode(event)
        return Told(kind=kind, payload=payload, at=self._clock(), taken=self._taken)

    def _tell(self, event: TaskEvent, **known: Unpack[Known]) -> None:
        self._history.tell(self._address, self._told(event), **known)

    def _begin(self, event: Started) -> None:
        self._attempt = self._before.attempts + 1
        self._history.begin_turn(
            self._address,
            self._told(event),
            base_commit=event.base,
            feedback=self._feedback,
            node=event.node,
        )
        self._state = TaskState.RUNNING

    def _keep_commit(self, event: Committed) -> None:
        self.changes = event.changes
        facts: AttemptFacts = {}
        if event.changes:
            ref = keep_attempt(
                self._repository,
                self._ledger,
                dispatch_id=self._dispatch,
                task=self._task,
                attempt=self._attempt,
                commit=event.commit,
            )
            facts = {"commit_id": event.commit, "ref": ref}
        # an earlier runner may have died between the ref, by which the commit is known, and this
        is_known = self._state is TaskState.CHECKING
        known: Known = {"facts": facts, "changes": event.changes}
        if not is_known:
            known["move"] = Move(source=self._state, target=TaskState.CHECKING)
        self._tell(event, **known)
        self._state = TaskState.CHECKING

    def _publish(self, event: Ended) -> Ended:
        if not event.is_delivered or event.commit is None:
            return event
        try:
            publish_branch(
                self._repository,
                self._ledger,
                prefix=self._branch_prefix,
                dispatch_id=self._dispatch,
                task=self._task,
                commit=event.commit,
                expected=self._before.commit_id,
            )
        except KimiMcpError as error:
            return replace(
                event,
                outcome=Outcome.CRASHED,
                sentence=f"The work passed, but its branch could not be created: {error}",
            )
        return event

    def _end(self, event: Ended) -> None:
        self.outcome = event.outcome
        self.is_lost = event.is_lost
        if not event.is_delivered and not event.is_cancelled and self._before.branch is not None:
            move = self._earlier_kept(event)
        else:
            self.delivered = event.commit if event.is_delivered else None
            move = Move(
                source=self._state,
                target=_target(event),
                outcome=event.outcome,
                sentence=event.sentence,
                is_checked=event.is_checked and event.is_delivered,
                branch=self._branch_name() if event.is_delivered else None,
                commit_id=event.commit if event.is_delivered else None,
            )
        facts: AttemptFacts = {
            "closing_words": event.closing_words or None,
            "quote": event.quote,
            "outcome": event.outcome,
            "sentence": event.sentence,
        }
        self._tell(event, move=move, facts=facts, is_last=True)

    def _earlier_kept(self, event: Ended) -> Move:
        """A later attempt came to nothing: the task stays delivered as it was."""
        return Move(
            source=self._state,
            target=TaskState.DELIVERED,
            sentence=f"Attempt {self._attempt} was not delivered ({event.word}): "
            f"{event.sentence} The branch stays as it was.",
            is_checked=self._before.is_checked,
        )

    def _branch_name(self) -> str:
        return branch_name(self._branch_prefix, self._dispatch, self._task)


def _learned(event: Step | Fenced | SessionKnown) -> AttemptFacts:
    match event:
        case Step():
            return {"steps": event.number}
        case Fenced():
            return {"fence_gaps": event.gaps}
        case SessionKnown():
            return {"session_id": event.session_id}


def _target(event: Ended) -> TaskState:
    if event.is_cancelled:
        return TaskState.CANCELLED
    if event.is_lost:
        return TaskState.LOST
    return TaskState.DELIVERED if event.outcome is None else TaskState.FAILED
