"""What the history hands out and takes in: frozen values named like their rows.

Nothing here knows SQLite. A field has the name of its column, so a row becomes a record by name and
a column added later disturbs nobody. Points in time are `times.timestamp` texts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict

from kimi_mcp.history.ids import DispatchId
from kimi_mcp.lifecycle import DispatchState, Outcome, TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """A task to be written down with its dispatch."""

    number: int
    title: str
    depends_on: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What was asked for: the part of a dispatch that never changes."""

    id: DispatchId
    repository: str
    git_dir: str
    spec_number: int
    spec_path: str
    spec_title: str
    spec_hash: str
    base_commit: str
    base_branch: str | None
    profile: str
    #: The effective limits and commands that the runner works by; JSON values only.
    orders: Mapping[str, Any]
    #: Claude's session, where known.
    session: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDispatch(Order):
    """A dispatch to be written down."""

    spec_text: str
    tasks: tuple[NewTask, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch(Order):
    """A dispatch as it stands; its spec's text is `History.spec_text`, for it can be long."""

    state: DispatchState
    created_at: str
    started_at: str | None
    ended_at: str | None
    cancel_requested_at: str | None
    cancel_reason: str | None
    #: For people to read; nothing signals it.
    runner_pid: int | None
    merged_commit: str | None
    note: str | None
    #: What the newest runner was sent for; None the first time.
    errand: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A task as it stands, with what its attempts add up to."""

    dispatch: DispatchId
    number: int
    title: str
    depends_on: tuple[int, ...]
    state: TaskState
    #: Why it failed; present exactly when it failed.
    outcome: Outcome | None
    sentence: str | None
    is_checked: bool
    branch: str | None
    commit_id: str | None
    started_at: str | None
    ended_at: str | None
    cancel_requested_at: str | None
    #: What reviewers changed of the spec's task; JSON values only.
    amendments: Mapping[str, Any]
    #: How many attempts were begun, and the steps of all of them.
    attempts: int
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One run of Kimi at a task."""

    dispatch: DispatchId
    task: int
    attempt: int
    session_id: str | None
    base_commit: str
    commit_id: str | None
    ref: str | None
    steps: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    started_at: str
    ended_at: str | None
    #: Kimi's own last words, quoted and never believed.
    closing_words: str | None
    #: The provider's or the CLI's own words about a failure.
    quote: str | None
    #: Why it was not delivered, and what became of it in a sentence.
    outcome: Outcome | None
    sentence: str | None
    #: The reviewer's words that it began with.
    feedback: str | None


class AttemptFacts(TypedDict, total=False):
    """What can become known of an attempt while it runs; numbers are totals, not additions."""

    session_id: str | None
    commit_id: str | None
    ref: str | None
    steps: int | None
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    closing_words: str | None
    quote: str | None
    outcome: str | None
    sentence: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A command of the spec that we ran on an attempt's commit."""

    #: From 1, in the spec's order.
    position: int
    command: str
    directory: str | None = None
    #: None when it did not end by itself.
    exit_code: int | None
    is_timed_out: bool = False
    duration_ms: int
    output_tail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A file that an attempt changed."""

    path: str
    #: `A`, `M`, `D` or `T` (its type changed), as git says it.
    status: str
    #: Lines; None for a binary file.
    added: int | None
    deleted: int | None
    #: Why the spec does not allow it; None when it does.
    stray_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, numbered from 1 within its dispatch."""

    dispatch: DispatchId
    number: int
    task: int | None
    attempt: int | None
    at: str
    kind: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequests:
    """What somebody wants ended: the whole dispatch, or these live tasks of it."""

    is_whole_dispatch: bool = False
    reason: str | None = None
    tasks: frozenset[int] = field(default_factory=frozenset[int])
