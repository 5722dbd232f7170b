"""What happens to one task, in order. Pure.

The contract of the seam between a task's work and whoever records it: exactly one `Started`, first;
exactly one `Ended`, last. `Committed` is said before any check runs, so that the work is kept under
a ref whatever the checks do.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from kimi_mcp.history.records import Change, Check, Finding, FindingKind, Rerun
from kimi_mcp.lifecycle import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The attempt began, on this commit."""

    base: str
    node: str | None = None  # another machine that carries it out


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Kimi asked its model (*tool* is empty), or began a tool call within that step."""

    number: int  # steps of this attempt so far, subagents and retries included
    tool: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolDone:
    """A tool call of the current step ended."""

    tool: str
    target: str
    is_error: bool
    duration_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """Kimi said something. Its words are data, never believed."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """Something that a reader of the record should know."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fenced:
    """What of the fence is missing around Kimi; empty when it is whole."""

    gaps: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionKnown:
    """Kimi's session has this id."""

    session_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Tokens of this attempt so far."""

    input: int
    cached: int
    output: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """Requests that no `Step` told of: found in Kimi's journals later, or merely possible."""

    steps: int
    possible: int  # beyond that, where agents were killed while they may just have asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What Kimi left behind has become a commit; the checks run on exactly that."""

    commit: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a reviewer must know of the commit, apart from what its checks say."""

    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One of the spec's commands was run by us."""

    check: Check


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The attempt is over."""

    outcome: Outcome | None
    is_cancelled: bool
    is_checked: bool
    commit: str | None
    sentence: str
    closing_words: str = ""
    quote: str | None = None
    is_lost: bool = False  # its runner died; told by who found that out

    @property
    def is_delivered(self) -> bool:
        """Whether it came to what was wanted: no outcome, not cancelled, not lost."""
        return self.outcome is None and not self.is_cancelled and not self.is_lost

    @property
    def word(self) -> str:
        """How it ended, in a word: its outcome, where it has one."""
        if self.is_cancelled:
            return "cancelled"
        if self.is_lost:
            return "lost"
        return str(self.outcome) if self.outcome else "delivered"


TaskEvent = (
    Started
    | Step
    | ToolDone
    | Said
    | Noted
    | Fenced
    | SessionKnown
    | Spent
    | Charged
    | Committed
    | Found
    | Checked
    | Ended
)

_KINDS: Mapping[str, type[TaskEvent]] = {
    "task.started": Started,
    "task.step": Step,
    "task.tool_done": ToolDone,
    "task.said": Said,
    "task.noted": Noted,
    "task.fenced": Fenced,
    "task.session": SessionKnown,
    "task.spent": Spent,
    "task.charged": Charged,
    "task.committed": Committed,
    "task.found": Found,
    "task.checked": Checked,
    "task.ended": Ended,
}
_NAMES = {made: name for name, made in _KINDS.items()}


def encode(event: TaskEvent) -> tuple[str, dict[str, Any]]:
    """Return the kind and JSON payload under which *event* is stored."""
    return _NAMES[type(event)], asdict(event)


def decode(kind: str, payload: Mapping[str, Any]) -> TaskEvent | None:
    """Read a stored event; a kind that this version does not know is nothing, a key passed over."""
    made = _KINDS.get(kind)
    if made is None:
        return None
    values = _known(made, payload)
    if made is Committed:
        values["changes"] = tuple(Change(**_known(Change, one)) for one in values["changes"])
    if made is Checked:
        values["check"] = _check(values["check"])
    if made is Found:
        values["findings"] = tuple(_finding(one) for one in values["findings"])
    if made is Ended and values["outcome"] is not None:
        values["outcome"] = Outcome(values["outcome"])
    return made(**values)


def _check(payload: Mapping[str, Any]) -> Check:
    values = _known(Check, payload)
    for name in ("again", "on_base"):
        if values.get(name) is not None:
            values[name] = Rerun(values[name])
    return Check(**values)


def _finding(payload: Mapping[str, Any]) -> Finding:
    values = _known(Finding, payload)
    values["kind"] = FindingKind(values["kind"])
    return Finding(**values)


def _known(made: type[Any], payload: Mapping[str, Any]) -> dict[str, Any]:
    names = {item.name for item in fields(made)}
    return {name: value for name, value in payload.items() if name in names}
