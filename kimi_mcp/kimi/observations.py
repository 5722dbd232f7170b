"""What can be seen of a running Kimi, whichever feed it came from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBegan:
    """Kimi asked its model once. One request is one step of quota, retries included."""

    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolBegan:
    """A tool call started."""

    call_id: str
    tool: str
    target: str  # the file, command or pattern, one line


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolEnded:
    """A tool call ended."""

    call_id: str
    is_error: bool
    duration_ms: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSaid:
    """Kimi said something to the user; the last one of a run is its closing words."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensUsed:
    """What one request cost."""

    input: int
    cached: int
    output: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrying:
    """A request failed and will be repeated."""

    error: str
    status: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFound:
    """The id under which this conversation can be resumed."""

    session_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnded:
    """The journal's own word on how the turn ended."""

    reason: str
    code: str | None
    message: str | None
    status: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCompleted:
    """The resume hint on stdout: printed last, and only when the run succeeded."""

    session_id: str


Observation = (
    StepBegan
    | ToolBegan
    | ToolEnded
    | TextSaid
    | TokensUsed
    | Retrying
    | SessionFound
    | TurnEnded
    | AnswerCompleted
)
