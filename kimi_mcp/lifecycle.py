"""The states of a dispatch and its tasks, and the closed list of why a task was not delivered.

Pure vocabulary, shared by every room above. Each change of state is one compare-and-set along the
two tables here; the SQL, the runner and the tests read the same tables.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class DispatchState(StrEnum):
    """Where a dispatch stands; the last three are over."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    CANCELLED = "cancelled"
    LOST = "lost"

    @property
    def is_terminal(self) -> bool:
        """Whether no runner will change this dispatch again."""
        return self in {DispatchState.FINISHED, DispatchState.CANCELLED, DispatchState.LOST}


class TaskState(StrEnum):
    """Where a task stands."""

    WAITING = "waiting"
    RUNNING = "running"
    CHECKING = "checking"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"
    LOST = "lost"
    SKIPPED = "skipped"

    @property
    def is_terminal(self) -> bool:
        """Whether the task's current attempt is over."""
        return self not in {TaskState.WAITING, TaskState.RUNNING, TaskState.CHECKING}


DISPATCH_MOVES: Mapping[DispatchState, frozenset[DispatchState]] = {
    DispatchState.QUEUED: frozenset(
        {DispatchState.RUNNING, DispatchState.CANCELLED, DispatchState.LOST}
    ),
    DispatchState.RUNNING: frozenset(
        {DispatchState.FINISHED, DispatchState.CANCELLED, DispatchState.LOST}
    ),
    # taken up again by a revision or a resume
    DispatchState.FINISHED: frozenset({DispatchState.QUEUED}),
    DispatchState.CANCELLED: frozenset({DispatchState.QUEUED}),
    DispatchState.LOST: frozenset({DispatchState.QUEUED}),
}

TASK_MOVES: Mapping[TaskState, frozenset[TaskState]] = {
    TaskState.WAITING: frozenset(
        {
            TaskState.RUNNING,
            TaskState.FAILED,
            TaskState.CANCELLED,
            TaskState.LOST,
            TaskState.SKIPPED,
        }
    ),
    # delivered from here: a later attempt came to nothing, and the branch stays at the earlier one
    TaskState.RUNNING: frozenset(
        {
            TaskState.CHECKING,
            TaskState.DELIVERED,
            TaskState.FAILED,
            TaskState.CANCELLED,
            TaskState.LOST,
        }
    ),
    TaskState.CHECKING: frozenset(
        {TaskState.DELIVERED, TaskState.FAILED, TaskState.CANCELLED, TaskState.LOST}
    ),
    # taken up again by a revision or a resume
    TaskState.DELIVERED: frozenset({TaskState.WAITING}),
    TaskState.FAILED: frozenset({TaskState.WAITING}),
    TaskState.CANCELLED: frozenset({TaskState.WAITING}),
    TaskState.LOST: frozenset({TaskState.WAITING}),
    TaskState.SKIPPED: frozenset({TaskState.WAITING}),
}


class Outcome(StrEnum):
    """Why a task was not delivered: the closed list."""

    CHECKS_FAILED = "checks_failed"
    OUT_OF_SCOPE = "out_of_scope"
    NO_CHANGE = "no_change"
    BLOCKED = "blocked"
    STEP_LIMIT = "step_limit"
    TIMED_OUT = "timed_out"
    STALLED = "stalled"
    QUOTA_EXHAUSTED = "quota_exhausted"
    RATE_LIMITED = "rate_limited"
    NOT_LOGGED_IN = "not_logged_in"
    MODEL_REFUSED = "model_refused"
    PROVIDER_ERROR = "provider_error"
    CONTEXT_OVERFLOW = "context_overflow"
    KIMI_UNUSABLE = "kimi_unusable"
    CONFIG_INVALID = "config_invalid"
    SETUP_FAILED = "setup_failed"
    MERGE_CONFLICT = "merge_conflict"
    CRASHED = "crashed"


class Explanation(NamedTuple):
    """One plain sentence, and what its reader should do next."""

    sentence: str
    next_action: str


EXPLANATIONS: Mapping[Outcome, Explanation] = {
    Outcome.CHECKS_FAILED: Explanation(
        "A command of the spec failed on the commit that Kimi's work became.",
        "Read get_result view=checks, then revise_task with feedback.",
    ),
    Outcome.OUT_OF_SCOPE: Explanation(
        "Files outside the task's list were changed.",
        "Look at the diff; revise_task with allow_files or drop_files costs no step.",
    ),
    Outcome.NO_CHANGE: Explanation(
        "Kimi ended without changing any file.",
        "Read Kimi's words, then revise_task with feedback that is more exact.",
    ),
    Outcome.BLOCKED: Explanation(
        "Kimi stopped with a question.",
        "Answer it with revise_task feedback.",
    ),
    Outcome.STEP_LIMIT: Explanation(
        "Kimi used up the task's step budget.",
        "Resume the dispatch for another budget, or split the task.",
    ),
    Outcome.TIMED_OUT: Explanation(
        "The task ran longer than limits.task_s allows.",
        "Resume the dispatch, split the task, or raise limits.task_s.",
    ),
    Outcome.STALLED: Explanation(
        "Kimi showed no sign of life for limits.silence_s while no tool was running.",
        "Resume the dispatch; if it repeats, look at the provider's status.",
    ),
    Outcome.QUOTA_EXHAUSTED: Explanation(
        "The Kimi plan's allowance is used up.",
        "Resume when it renews, or let Claude finish. Logging in does not help.",
    ),
    Outcome.RATE_LIMITED: Explanation(
        "The provider kept refusing for too many requests.",
        "Wait a few minutes, then resume the dispatch.",
    ),
    Outcome.NOT_LOGGED_IN: Explanation(
        "Kimi has no valid credential.",
        "Run `kimi login` in a terminal, then resume the dispatch.",
    ),
    Outcome.MODEL_REFUSED: Explanation(
        "The provider's content policy blocked the answer.",
        "Rephrase the task or let Claude do it.",
    ),
    Outcome.PROVIDER_ERROR: Explanation(
        "The model provider failed or answered with something unusable.",
        "Resume the dispatch later; the quoted words are the provider's.",
    ),
    Outcome.CONTEXT_OVERFLOW: Explanation(
        "The conversation outgrew the model's context.",
        "Split the task into smaller ones.",
    ),
    Outcome.KIMI_UNUSABLE: Explanation(
        "The Kimi CLI could not be run.",
        "Run `kimi-mcp doctor`; it names the remedy.",
    ),
    Outcome.CONFIG_INVALID: Explanation(
        "Kimi's configuration names no usable model.",
        "Run `kimi login` if you never did; else `kimi doctor` names the file to correct.",
    ),
    Outcome.SETUP_FAILED: Explanation(
        "The clone could not be prepared, or a check's program is missing in it.",
        "Set setup in kimi-mcp.toml ([] for none), or correct the spec's command.",
    ),
    Outcome.MERGE_CONFLICT: Explanation(
        "The tasks that this one depends on do not merge.",
        "revise_task with feedback on one of them starts with both sides marked; then resume.",
    ),
    Outcome.CRASHED: Explanation(
        "Kimi ended in a way that is not a known success.",
        "Look at the quoted words and the transcript, then resume the dispatch.",
    ),
}
