"""Kimi Code's standard output, decoded: `-p … --output-format stream-json`.

Pure. Identical in Kimi Code 0.38, 0.43.1, 2.0.2 and 2.1.0 (each ran). A line that is no JSON object
of a known shape is skipped, never an error: the raw stream is kept in a file.
"""

import json
from collections.abc import Iterator
from typing import Any, cast

from kimi_mcp.kimi.observations import AnswerCompleted, Observation, Retrying, StepBegan, TextSaid

LINE_LIMIT_BYTES = 8_000_000


class LineSplitter:
    """Bytes in, whole lines out, in bounded memory: a line over the limit is dropped whole."""

    def __init__(self, *, limit_bytes: int = LINE_LIMIT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._buffer = bytearray()
        self._is_skipping = False

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the lines that *chunk* completes, without their newline."""
        *complete, rest = chunk.split(b"\n")
        for part in complete:
            if not self._is_skipping and len(self._buffer) + len(part) <= self._limit_bytes:
                yield bytes(self._buffer + part)
            self._buffer.clear()
            self._is_skipping = False
        if len(self._buffer) + len(rest) > self._limit_bytes:
            self._buffer.clear()
            self._is_skipping = True
        elif not self._is_skipping:
            self._buffer += rest

    def flush(self) -> Iterator[bytes]:
        """Yield what stands after the last newline, at the end of the stream."""
        if self._buffer and not self._is_skipping:
            yield bytes(self._buffer)
        self._buffer.clear()


def decode(line: bytes) -> list[Observation]:
    """Decode one line of standard output."""
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
            return []


def json_object(line: bytes) -> dict[str, Any]:
    """Decode a line that should be a JSON object; anything else is an empty one."""
    try:
        value: object = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def text_or_none(value: object) -> str | None:
    """Return *value* if it is a text, in a form that can be stored, else nothing.

    Kimi cuts texts by UTF-16 units: half a character may be left, which no encoding accepts.
    """
    return value.encode(errors="replace").decode() if isinstance(value, str) else None


def whole_number(value: object) -> int | None:
    """Return *value* if it is an int, else nothing."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None
