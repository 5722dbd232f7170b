"""What can be seen of a running Kimi, whichever feed it came from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StepBegan:
    """Kimi asked its model once. One request is one step of quota, retries included."""

    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Compacting:
    """Kimi asked its model to shorten the conversation: a request like a step, but none of it."""

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
    """The tokens of one request; *input* counts the *cached* ones, too."""

    input: int
    cached: int
    output: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrying:
    """A request failed and will be repeated."""

    error: str
    status: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCut:
    """The model's answer ended at its output limit; what else it would have said is lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentFailed:
    """An agent that Kimi had started ended without having done its work."""

    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentAsked:
    """Kimi has given one of its agents something to do, in these words."""

    agent: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentEnded:
    """An agent that Kimi had started asks its model no more, for whatever reason."""

    agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainSaid:
    """A line on standard output that is no record: how the legacy CLI tells that it failed."""

    text: str


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
    """What standard output says at the end of a success, if nothing else comes after it."""

    session_id: str | None


Observation = (
    StepBegan
    | Compacting
    | ToolBegan
    | ToolEnded
    | TextSaid
    | TokensUsed
    | Retrying
    | AnswerCut
    | AgentFailed
    | AgentAsked
    | AgentEnded
    | PlainSaid
    | SessionFound
    | TurnEnded
    | AnswerCompleted
)
