"""What Kimi Code (0.38 to 2.1.0, each ran) writes while it works. Pure.

Standard output (`-p … --output-format stream-json`) has a line for each answer of the model, held
back until its first tool has ended. The session journal has all of it as it happens, one file per
agent; it is an internal format ("debug material"), so what is unknown in it is skipped.
"""

from typing import cast

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
    StepBegan,
    TextSaid,
    TokensUsed,
    ToolBegan,
    ToolEnded,
    TurnEnded,
)
from kimi_mcp.kimi.records import Record, json_object, mapping, target, text_or_none, whole_number

_CUT = frozenset({"max_tokens", "truncated", "length"})


def decode_output(line: bytes) -> list[Observation]:
    """Read one line of Kimi Code's standard output; nothing where it tells us nothing."""
    record = json_object(line)
    match record.get("role"), record.get("type"):
        case "assistant", _:
            text = text_or_none(record.get("content"))
            return [StepBegan(agent="main"), *([TextSaid(text=text)] if text else [])]
        case "meta", "turn.step.retrying":
            return [
                StepBegan(agent="main"),
                Retrying(
                    error=text_or_none(record.get("error_message")) or "",
                    status=whole_number(record.get("status_code")),
                ),
            ]
        case "meta", "session.resume_hint":
            return [AnswerCompleted(session_id=text_or_none(record.get("session_id")) or "")]
        case _:
            plain = "" if record else line.decode(errors="replace").strip()
            return [PlainSaid(text=plain)] if plain else []


def decode_journal(line: bytes, agent: str) -> list[Observation]:
    """Decode one line of *agent*'s journal."""
    record = json_object(line)
    match record.get("type"):
        case "context.append_loop_event":
            return _loop_event(mapping(record.get("event")), agent)
        case "turn.step.retrying":
            return [
                Retrying(
                    error=text_or_none(record.get("errorMessage")) or "",
                    status=whole_number(record.get("statusCode")),
                )
            ]
        case "usage.record":
            return [_tokens(mapping(record.get("usage")))]
        case "llm.request" if record.get("kind") == "compaction":
            return [Compacting(agent=agent)]
        case "turn.prompt" if agent != "main":
            return [AgentAsked(agent=agent, text=_said(record.get("input")))]
        case "subagent.failed":
            return [AgentFailed(error=_error_text(record.get("error"))), _ended(record)]
        case "subagent.completed" | "subagent.cancelled":
            return [_ended(record)]
        case "turn.ended" if agent == "main":
            error = mapping(record.get("error"))
            return [
                TurnEnded(
                    reason=text_or_none(record.get("reason")) or "",
                    code=text_or_none(error.get("code")),
                    message=text_or_none(error.get("message")),
                    status=whole_number(mapping(error.get("details")).get("statusCode")),
                )
            ]
        case _:
            return []


def _loop_event(event: Record, agent: str) -> list[Observation]:
    match event.get("type"):
        case "step.begin":
            return [StepBegan(agent=agent)]
        case "step.end" if agent == "main" and event.get("finishReason") in _CUT:
            return [AnswerCut()]
        case "tool.call":
            return [
                ToolBegan(
                    call_id=text_or_none(event.get("toolCallId")) or "",
                    tool=text_or_none(event.get("name")) or "?",
                    target=target(mapping(event.get("args"))),
                )
            ]
        case "tool.result":
            result = mapping(event.get("result"))
            return [
                ToolEnded(
                    call_id=text_or_none(event.get("toolCallId")) or "",
                    is_error=result.get("isError") is True,
                    duration_ms=whole_number(result.get("durationMs")),
                )
            ]
        case "content.part" if agent == "main":
            part = mapping(event.get("part"))
            text = text_or_none(part.get("text")) if part.get("type") == "text" else None
            return [TextSaid(text=text)] if text else []
        case _:
            return []


def _said(parts: object) -> str:
    listed = cast("list[object]", parts) if isinstance(parts, list) else []
    return "\n".join(text_or_none(mapping(part).get("text")) or "" for part in listed)


def _ended(record: Record) -> AgentEnded:
    return AgentEnded(agent=text_or_none(record.get("subagentId")) or "")


def _tokens(usage: Record) -> TokensUsed:
    cached = whole_number(usage.get("inputCacheRead")) or 0
    fresh = [whole_number(usage.get(key)) or 0 for key in ("inputOther", "inputCacheCreation")]
    return TokensUsed(
        input=cached + sum(fresh), cached=cached, output=whole_number(usage.get("output")) or 0
    )


def _error_text(error: object) -> str:
    return text_or_none(error) or text_or_none(mapping(error).get("message")) or ""
