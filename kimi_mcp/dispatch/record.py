"""Writes what happens to a task into the history, and its commits into the user's repository.

The runner alone writes: states by compare-and-set, events in order. The attempt's commit is kept
under a ref of the user's repository before any check runs; a branch moves only to a delivered one.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import anyio

from kimi_mcp.dispatch.events import (
    Checked,
    Committed,
    Ended,
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
from kimi_mcp.history.records import Change, Task
from kimi_mcp.lifecycle import Outcome, TaskState
from kimi_mcp.workspace.clone import Ledger
from kimi_mcp.workspace.publish import branch_name, keep_attempt, publish_branch
from kimi_mcp.workspace.repository import Repository

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
        self._state = TaskState.WAITING
        self.delivered = task.commit_id
        self.changes: tuple[Change, ...] = ()

    async def record(self, event: TaskEvent) -> None:
        """Take one event in; returns when it is durable."""
        await anyio.to_thread.run_sync(self._record, event)

    def _record(self, event: TaskEvent) -> None:
        advance = partial(self._history.advance_attempt, self._dispatch, self._task, self._attempt)
        match event:
            case Started():
                self._begin(event)
            case Step():
                advance(steps=event.number)
            case SessionKnown():
                advance(session_id=event.session_id)
            case Spent():
                advance(
                    input_tokens=event.input,
                    cached_tokens=event.cached,
                    output_tokens=event.output,
                )
                return
            case Committed():
                self._keep(event)
            case Checked():
                self._history.record_checks(
                    self._dispatch, self._task, self._attempt, [event.check]
                )
            case Ended():
                event = self._publish(event)
            case _:
                pass
        self._append(event)
        if isinstance(event, Ended):
            self._end(event)

    def _append(self, event: TaskEvent) -> None:
        kind, payload = encode(event)
        self._history.append_event(
            self._dispatch,
            kind=kind,
            at=self._clock(),
            task=self._task,
            attempt=self._attempt,
            payload=payload,
        )

    def _begin(self, event: Started) -> None:
        self._move(TaskState.RUNNING)
        self._attempt = self._history.begin_attempt(
            self._dispatch,
            self._task,
            base_commit=event.base,
            at=self._clock(),
            feedback=self._feedback,
        )

    def _keep(self, event: Committed) -> None:
        self.changes = event.changes
        if event.changes:
            ref = keep_attempt(
                self._repository,
                self._ledger,
                dispatch_id=self._dispatch,
                task=self._task,
                attempt=self._attempt,
                commit=event.commit,
            )
            self._history.advance_attempt(
                self._dispatch, self._task, self._attempt, commit_id=event.commit, ref=ref
            )
        self._history.record_changes(self._dispatch, self._task, self._attempt, event.changes)
        self._move(TaskState.CHECKING)

    def _publish(self, event: Ended) -> Ended:
        if event.outcome is not None or event.is_cancelled or event.commit is None:
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
        self._history.finish_attempt(
            self._dispatch,
            self._task,
            self._attempt,
            at=self._clock(),
            closing_words=event.closing_words or None,
            quote=event.quote,
            outcome=event.outcome,
            sentence=event.sentence,
        )
        if event.outcome is not None and self._before.branch is not None:
            self._keep_earlier(event)
            return
        is_delivered = event.outcome is None and not event.is_cancelled
        self.delivered = event.commit if is_delivered else None
        self._history.move_task(
            self._dispatch,
            self._task,
            source=self._state,
            target=_target(event),
            at=self._clock(),
            outcome=event.outcome,
            sentence=event.sentence,
            is_checked=event.is_checked and is_delivered,
            branch=self._branch_name() if is_delivered else None,
            commit_id=event.commit if is_delivered else None,
        )

    def _keep_earlier(self, event: Ended) -> None:
        """A later attempt came to nothing: the task stays delivered as it was."""
        self._history.move_task(
            self._dispatch,
            self._task,
            source=self._state,
            target=TaskState.DELIVERED,
            at=self._clock(),
            sentence=f"Attempt {self._attempt} was not delivered ({event.outcome}): "
            f"{event.sentence} The branch stays as it was.",
            is_checked=self._before.is_checked,
        )

    def _branch_name(self) -> str:
        return branch_name(self._branch_prefix, self._dispatch, self._task)

    def _move(self, target: TaskState) -> None:
        self._history.move_task(
            self._dispatch, self._task, source=self._state, target=target, at=self._clock()
        )
        self._state = target


def _target(event: Ended) -> TaskState:
    if event.is_cancelled:
        return TaskState.CANCELLED
    return TaskState.DELIVERED if event.outcome is None else TaskState.FAILED
