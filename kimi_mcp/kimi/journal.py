"""Kimi Code's session journal: the live feed of steps, tools, tokens and the end.

One file per agent under the Kimi home, `sessions/wd_*/session_*/agents/<agent>/wire.jsonl`, written
within 30 to 60 ms, also while a tool runs (Kimi Code 0.38 to 2.1.0, ran). It is an internal format
("debug material"): unknown records are skipped, a torn last line waits for its rest, and a run
without any journal falls back to standard output. `decode` is pure; `Journal` reads the files.
"""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from kimi_mcp.kimi.observations import (
    Observation,
    Retrying,
    SessionFound,
    StepBegan,
    TextSaid,
    TokensUsed,
    ToolBegan,
    ToolEnded,
    TurnEnded,
)
from kimi_mcp.kimi.stream import LineSplitter, json_object, text_or_none, whole_number

TARGET_CHARS = 80
READ_BYTES = 4_000_000  # at most, per file and poll

Record = Mapping[str, Any]


def decode(line: bytes, *, agent: str) -> list[Observation]:
    """Decode one line of *agent*'s journal."""
    record = json_object(line)
    match record.get("type"):
        case "context.append_loop_event":
            return _loop_event(_mapping(record.get("event")), agent)
        case "turn.step.retrying":
            return [
                Retrying(
                    error=text_or_none(record.get("errorMessage")) or "",
                    status=whole_number(record.get("statusCode")),
                )
            ]
        case "usage.record":
            usage = _mapping(record.get("usage"))
            cached = whole_number(usage.get("inputCacheRead")) or 0
            fresh = [
                whole_number(usage.get(key)) or 0 for key in ("inputOther", "inputCacheCreation")
            ]
            return [
                TokensUsed(
                    input=cached + sum(fresh),
                    cached=cached,
                    output=whole_number(usage.get("output")) or 0,
                )
            ]
        case "turn.ended" if agent == "main":
            error = _mapping(record.get("error"))
            return [
                TurnEnded(
                    reason=text_or_none(record.get("reason")) or "",
                    code=text_or_none(error.get("code")),
                    message=text_or_none(error.get("message")),
                    status=whole_number(_mapping(error.get("details")).get("statusCode")),
                )
            ]
        case _:
            return []


class Journal:
    """Follows the journals of all agents of one Kimi home.

    Whole lines that stand in them when the object is made belong to earlier attempts and are passed
    over; a torn last one is cut off by Kimi Code itself when it resumes (2.1.0, ran). The worker
    can delete, replace or fill them as it likes: nothing here raises for that or waits.
    """

    def __init__(self, home: Path) -> None:
        self._sessions = home / "sessions"
        self._files: dict[Path, _Tail] = {}
        self._announced: set[str] = set()
        for path in self._paths():
            self._files[path] = _Tail(path, offset=_end_of_lines(path))

    def read(self) -> list[Observation]:
        """Return what was appended since the last call, in order within each file."""
        seen: list[Observation] = []
        for path in self._paths():
            tail = self._files.setdefault(path, _Tail(path, offset=0))
            lines = tail.read()
            session_id = text_or_none(path.parents[2].name) or ""
            if lines and session_id not in self._announced:
                self._announced.add(session_id)
                seen.append(SessionFound(session_id=session_id))
            for line in lines:
                seen += decode(line, agent=text_or_none(path.parent.name) or "")
        return seen

    def _paths(self) -> list[Path]:
        try:
            return sorted(self._sessions.glob("*/session_*/agents/*/wire.jsonl"))
        except OSError:
            return []  # a folder went away while it was being listed


class _Tail:
    def __init__(self, path: Path, *, offset: int) -> None:
        self._path = path
        self._offset = offset
        self._splitter = LineSplitter()

    def read(self) -> list[bytes]:
        try:
            chunk = _read(self._path, offset=self._offset)
        except OSError:
            return []
        self._offset += len(chunk)
        return list(self._splitter.feed(chunk))


def _end_of_lines(path: Path) -> int:
    try:
        start = max(0, path.stat().st_size - READ_BYTES)
        return start + _read(path, offset=start).rfind(b"\n") + 1
    except OSError:
        return 0


def _read(path: Path, *, offset: int) -> bytes:
    # without waiting: somebody could put a named pipe in the journal's place
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        is_file = stat.S_ISREG(os.fstat(file).st_mode)
        return os.pread(file, READ_BYTES, offset) if is_file else b""
    finally:
        os.close(file)


def _loop_event(event: Record, agent: str) -> list[Observation]:
    match event.get("type"):
        case "step.begin":
            return [StepBegan(agent=agent)]
        case "tool.call":
            return [
                ToolBegan(
                    call_id=text_or_none(event.get("toolCallId")) or "",
                    tool=text_or_none(event.get("name")) or "?",
                    target=_target(_mapping(event.get("args"))),
                )
            ]
        case "tool.result":
            result = _mapping(event.get("result"))
            return [
                ToolEnded(
                    call_id=text_or_none(event.get("toolCallId")) or "",
                    is_error=result.get("isError") is True,
                    duration_ms=whole_number(result.get("durationMs")),
                )
            ]
        case "content.part" if agent == "main":
            part = _mapping(event.get("part"))
            text = text_or_none(part.get("text")) if part.get("type") == "text" else None
            return [TextSaid(text=text)] if text else []
        case _:
            return []


def _target(arguments: Record) -> str:
    """Name what a tool call is about, in one short line."""
    for key in ("path", "command", "pattern", "query", "url", "description"):
        line = " ".join((text_or_none(arguments.get(key)) or "").split())
        if line:
            return line if len(line) <= TARGET_CHARS else line[: TARGET_CHARS - 1] + "…"
    return ""


def _mapping(value: object) -> Record:
    return cast("Record", value) if isinstance(value, Mapping) else {}
