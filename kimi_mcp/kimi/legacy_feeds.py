"""What the legacy kimi-cli (up to 1.51, ran) writes while it works. Pure.

Standard output has JSON lines of answers and tool results, where a text is a string, a list of
parts or an empty list; a failure is a plain line between them. The journal is one file for the
session: its agents' events stand in it wrapped, and it never says how the turn ended.
"""

from typing import Any, cast

from kimi_mcp.kimi.observations import (
    AnswerCompleted,
    Compacting,
    Observation,
    PlainSaid,
    Retrying,
    StepBegan,
    TextSaid,
    TokensUsed,
    ToolBegan,
    ToolEnded,
)
from kimi_mcp.kimi.records import Record, json_object, mapping, target, text_or_none, whole_number

_DEPTH = 5  # of agents in agents; Kimi's own cannot start any


def decode_output(line: bytes) -> list[Observation]:
    """Read one line of kimi-cli's standard output; a line that is no JSON is plain words."""
    record = json_object(line)
    if not record:
        plain = line.decode(errors="replace").strip()
        return [PlainSaid(text=plain)] if plain else []
    if record.get("role") != "assistant":
        return []
    text = _text(record.get("content"))
    said: list[Observation] = [StepBegan(agent="main")]
    if text:
        said.append(TextSaid(text=text))
    if text and not record.get("tool_calls"):
        said.append(AnswerCompleted(session_id=None))
    return said


def decode_journal(line: bytes, agent: str) -> list[Observation]:
    """Decode one line of *agent*'s journal."""
    return _event(mapping(json_object(line).get("message")), agent, _DEPTH)


def _event(message: Record, agent: str, depth: int) -> list[Observation]:
    payload = mapping(message.get("payload"))
    match message.get("type"):
        case "StepBegin":
            return [StepBegan(agent=agent)]
        case "StepRetry":  # the request that follows has no begin of its own
            status = whole_number(payload.get("status_code"))
            kind = text_or_none(payload.get("error_type")) or ""
            return [
                StepBegan(agent=agent),
                Retrying(error=f"{status} {kind}".strip() if status else kind, status=status),
            ]
        case "CompactionBegin":
            return [Compacting(agent=agent)]
        case "ToolCall":
            return [_tool_began(payload)]
        case "ToolResult":
            value = mapping(payload.get("return_value"))
            return [
                ToolEnded(
                    call_id=text_or_none(payload.get("tool_call_id")) or "",
                    is_error=value.get("is_error") is True,
                    duration_ms=None,
                )
            ]
        case "StatusUpdate":
            return _tokens(payload.get("token_usage"))
        case "ContentPart" if agent == "main":
            text = _part_text(payload)
            return [TextSaid(text=text)] if text else []
        case "SubagentEvent" if depth:
            inner = text_or_none(payload.get("agent_id")) or "agent"
            return _event(mapping(payload.get("event")), inner, depth - 1)
        case _:
            return []


def _tool_began(payload: Record) -> ToolBegan:
    function = mapping(payload.get("function"))
    arguments = function.get("arguments")
    return ToolBegan(
        call_id=text_or_none(payload.get("id")) or "",
        tool=text_or_none(function.get("name")) or "?",
        target=target(json_object(arguments) if isinstance(arguments, str) else {}),
    )


def _tokens(value: object) -> list[Observation]:
    usage = mapping(value)
    if not usage:
        return []
    cached = whole_number(usage.get("input_cache_read")) or 0
    fresh = [whole_number(usage.get(key)) or 0 for key in ("input_other", "input_cache_creation")]
    output = whole_number(usage.get("output")) or 0
    return [TokensUsed(input=cached + sum(fresh), cached=cached, output=output)]


def _text(content: object) -> str:
    """Return the text of a message's content: a string or a list of parts."""
    if isinstance(content, list):
        return "".join(_part_text(mapping(part)) for part in cast("list[Any]", content))
    return text_or_none(content) or ""


def _part_text(part: Record) -> str:
    return text_or_none(part.get("text")) or "" if part.get("type") == "text" else ""
