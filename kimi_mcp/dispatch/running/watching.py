"""From what is seen of Kimi to what happened to the task. Pure but for the order it keeps."""

from kimi_mcp.dispatch.events import Noted, Said, SessionKnown, Spent, Step, TaskEvent, ToolDone
from kimi_mcp.kimi.observations import (
    AgentAsked,
    AgentEnded,
    AgentFailed,
    AnswerCompleted,
    AnswerCut,
    Compacting,
    Observation,
    PlainSaid,
    Retrying,
    SessionFound,
    StepBegan,
    TextSaid,
    TokensUsed,
    ToolBegan,
    ToolEnded,
    TurnEnded,
)
from kimi_mcp.quoting.quotes import quoted

ERROR_CHARS = 300


SHORTENED = "Kimi had the model shorten their conversation: one request more."


class Watching:
    """Counts steps and tokens of one attempt and pairs the ends of tool calls with their begins."""

    def __init__(self) -> None:
        self.steps = 0
        self._spent = Spent(input=0, cached=0, output=0)
        self._running: dict[str, ToolBegan] = {}
        self._session_id: str | None = None

    def events(self, seen: Observation) -> list[TaskEvent]:
        """Return the task's events that *seen* amounts to, and count the step that it may be."""
        match seen:
            case StepBegan():
                self.steps += 1
                return [Step(number=self.steps)]
            case Compacting():
                self.steps += 1
                return [Step(number=self.steps), Noted(text=SHORTENED)]
            case ToolBegan():
                self._running[seen.call_id] = seen
                return [Step(number=self.steps, tool=seen.tool, target=seen.target)]
            case ToolEnded():
                return self._tool_done(seen)
            case TokensUsed():
                self._spent = Spent(
                    input=self._spent.input + seen.input,
                    cached=self._spent.cached + seen.cached,
                    output=self._spent.output + seen.output,
                )
                return [self._spent]
            case TextSaid():
                return [Said(text=seen.text)]
            case Retrying() | AnswerCut() | AgentFailed():
                return [Noted(text=_mishap(seen))]
            case SessionFound() | AnswerCompleted():
                return self._session(seen.session_id)
            case TurnEnded() | PlainSaid() | AgentAsked() | AgentEnded():
                return []

    def _tool_done(self, seen: ToolEnded) -> list[TaskEvent]:
        began = self._running.pop(seen.call_id, None)
        if began is None:
            return []
        return [
            ToolDone(
                tool=began.tool,
                target=began.target,
                is_error=seen.is_error,
                duration_ms=seen.duration_ms,
            )
        ]

    def _session(self, session_id: str | None) -> list[TaskEvent]:
        if session_id is None or session_id == self._session_id:
            return []
        self._session_id = session_id
        return [SessionKnown(session_id=session_id)]


def _mishap(seen: Retrying | AnswerCut | AgentFailed) -> str:
    match seen:
        case Retrying():
            return f"The provider failed, Kimi tries again: {quoted(seen.error, limit=ERROR_CHARS)}"
        case AnswerCut():
            return "An answer of the model was cut off at its output limit."
        case AgentFailed():
            return f"An agent that Kimi had started failed: {quoted(seen.error, limit=ERROR_CHARS)}"
