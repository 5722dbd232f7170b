"""Reading lines of JSON that somebody else writes: whole lines, known shapes, nothing raised. Pure.

Shared by both dialects and both feeds. What has another shape than expected is nothing, never an
error: the raw stream is kept in a file.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

LINE_LIMIT_BYTES = 8_000_000
TARGET_CHARS = 80

Record = Mapping[str, Any]


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


def json_object(line: bytes | str) -> dict[str, Any]:
    """Decode a line that should be a JSON object; anything else is an empty one."""
    try:
        value: object = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def mapping(value: object) -> Record:
    """Return *value* if it is a mapping, else an empty one."""
    return cast("Record", value) if isinstance(value, Mapping) else {}


def text_or_none(value: object) -> str | None:
    """Return *value* if it is a text, in a form that can be stored, else nothing.

    Kimi cuts texts by UTF-16 units: half a character may be left, which no encoding accepts.
    """
    return value.encode(errors="replace").decode() if isinstance(value, str) else None


def whole_number(value: object) -> int | None:
    """Return *value* if it is an int, else nothing."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def target(arguments: Record) -> str:
    """Name what a tool call is about, in one short line."""
    for key in ("path", "command", "pattern", "query", "url", "description"):
        line = " ".join((text_or_none(arguments.get(key)) or "").split())
        if line:
            return line if len(line) <= TARGET_CHARS else line[: TARGET_CHARS - 1] + "…"
    return ""
