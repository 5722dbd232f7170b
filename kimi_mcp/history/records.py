"""What the history hands out and takes in: frozen values named like their rows.

Nothing here knows SQLite. A field has the name of its column, so a row becomes a record by name and
a column added later disturbs nobody. Points in time are `times.timestamp` texts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypedDict

from kimi_mcp.history.ids import DispatchId, RunId
from kimi_mcp.lifecycle import DispatchState, Outcome, TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """A task to be written down with its dispatch."""

    number: int
    title: str
    depends_on: tuple[int, ...] = ()
    #: What it is like and how many steps it is expected to take; JSON values only.
    forecast: Mapping[str, Any] | None = None


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
    #: The commit upon which *base_commit* holds the user's uncommitted files; None: it holds none.
    snapshot_of: str | None = None
    #: Whose quota it spends, as a fingerprint; None where that is not known.
    account: str | None = None
    #: How many findings the spec's lint had; None where nobody counted.
    findings: int | None = None


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
    #: When its events went, for their age or their size; None: they are all there.
    condensed_at: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchOverview:
    """A dispatch as a list of many tells it."""

    id: DispatchId
    state: DispatchState
    repository: str
    spec_title: str
    created_at: str
    started_at: str | None
    ended_at: str | None
    #: How many there are, were delivered, and were delivered without any check.
    tasks: int
    delivered: int
    unchecked: int
    #: Of all its attempts.
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A dispatch from a launch, a resume or a revision to its end: what a caller waits for."""

    id: RunId
    dispatch: DispatchId
    #: From 1 within its dispatch.
    number: int
    #: The task that is revised; None: whatever the dispatch has to do.
    task: int | None
    first_event: int
    began_at: str
    ended_at: str | None
    #: How it ended: finished, cancelled or lost. It never changes again.
    state: DispatchState | None


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
    #: What was known and expected of it when it was dispatched; JSON values only.
    forecast: Mapping[str, Any] | None = None
    #: How many attempts were begun, and the steps of all of them.
    attempts: int
    steps: int
    #: Beyond those: of agents that were killed while they may just have asked their model.
    possible_steps: int = 0


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
    #: Beyond those: of agents that were killed while they may just have asked their model.
    possible_steps: int = 0
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    started_at: str
    ended_at: str | None
    #: Kimi's own last words, quoted and never believed.
    closing_words: str | None
    quote: str | None  # the provider's or the CLI's own words about a failure
    #: Why it was not delivered, and what became of it in a sentence.
    outcome: Outcome | None
    sentence: str | None
    #: The reviewer's words that it began with.
    feedback: str | None
    #: What of the fence was missing around Kimi, as a sentence.
    fence_gaps: str | None
    node: str | None = None  # the machine that carries it out; None for this one
    taken: int = 0  # the number there of the last event that is stored


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
    fence_gaps: str | None
    node: str | None


class Rerun(StrEnum):
    """How a command ended that was run once more, or on another commit."""

    PASSED = "passed"
    FAILED = "failed"


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
    #: Why it counts as failed, whatever its exit code; or why it could not be started.
    fault: str | None = None
    #: How it ended when it was run once more on the same commit; None when it was not.
    again: Rerun | None = None
    #: How it ends on the commit that the task began from; None when that is not known.
    on_base: Rerun | None = None

    @property
    def is_begun(self) -> bool:
        """Whether it could be started at all."""
        return self.exit_code is not None or self.is_timed_out or self.fault is None

    @property
    def is_passed(self) -> bool:
        """Whether it passed, in the end: a check that failed first may pass the second time."""
        return self.again is Rerun.PASSED or self.is_passed_at_first

    @property
    def is_passed_at_first(self) -> bool:
        """Whether its first run passed."""
        return self.exit_code == 0 and not self.is_timed_out and self.fault is None


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
    #: What it is when it is no plain text: binary, a link …
    nature: str | None = None

    @property
    def extent(self) -> str:
        """How large it is, and what it is besides its lines: `+3 -1, made executable`."""
        lines = [] if self.added is None else [f"+{self.added} -{self.deleted or 0}"]
        return ", ".join([*lines, *([self.nature] if self.nature else [])]) or "no lines"


class FindingKind(StrEnum):
    """What a reviewer must know of a commit."""

    WEAKENED = "weakened"
    EXPECTATION = "expectation"
    SECRET = "secret"  # noqa: S105  a name, not a password


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something in an attempt's commit that a reviewer must know."""

    kind: FindingKind
    path: str
    #: Of the file as it is now; None for the file as a whole.
    line: int | None = None
    text: str


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
