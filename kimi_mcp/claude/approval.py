"""The hook after a plan's approval: should Claude offer to hand it over?

Claude Code 2.1.330 runs it (PostToolUse on ExitPlanMode) only when the plan was approved, and gives
`tool_response {"plan", "filePath", "isAgent"}`. Nothing is written, no Kimi and no git is started,
and neither protocol nor settings are loaded, so it answers while the server is away. Whatever goes
wrong here is silence: an offer is a courtesy.
"""

import mmap
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias, cast

from kimi_mcp.claude import words
from kimi_mcp.claude.allowance import allowance
from kimi_mcp.errors import KimiUnusable, Refused
from kimi_mcp.kimi.detect import find_kimi
from kimi_mcp.reading import read_text
from kimi_mcp.spec.entries import Operation
from kimi_mcp.spec.plans.draft import Draft
from kimi_mcp.spec.plans.extract import extract
from kimi_mcp.spec.worth import Size, size_of
from kimi_mcp.state import StateFolder

LIMIT_BYTES = 1_000_000  # limits.plan_bytes as it comes; the settings take too long to load

Answer: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """What Claude Code tells of an approved plan."""

    plan: str
    plan_path: str
    folder: Path
    transcript: Path | None

    @classmethod
    def read(cls, event: object) -> "Approval | None":
        """Read the hook's input; None where it is about something else."""
        given = _table(event)
        response = _table(given.get("tool_response"))
        path, plan = response.get("filePath"), response.get("plan")
        is_ours = given.get("tool_name") == "ExitPlanMode" and not response.get("isAgent")
        if not is_ours or not isinstance(path, str) or not path:
            return None
        transcript = given.get("transcript_path")
        return cls(
            plan=_saved(path) or (plan if isinstance(plan, str) else ""),
            plan_path=path,
            folder=Path(str(given.get("cwd") or ".")),
            transcript=Path(transcript) if isinstance(transcript, str) and transcript else None,
        )


def answer(event: object, environ: Mapping[str, str] = os.environ) -> Answer | None:
    """Return what Claude Code is to be told, None for nothing."""
    approval = Approval.read(event)
    if approval is None or not _is_in_repository(approval, environ):
        return None
    size = measure(extract(approval.plan))
    if not size.is_worth_it:
        return None
    try:
        find_kimi(StateFolder.named(environ), environ)
    except KimiUnusable as error:
        return _said_once(approval, words.without_kimi(str(error).removeprefix("kimi_unusable: ")))
    known = allowance(environ, now=datetime.now(UTC))
    if known.is_gone:
        return None
    said = words.offer(size, plan_path=approval.plan_path, allowance=known.words)
    return {"hookSpecificOutput": {"hookEventName": "PostToolUse", "additionalContext": said}}


def measure(draft: Draft) -> Size:
    """Measure what a plan leaves to be done."""
    return size_of(
        [
            (
                {file.path for file in task.files if file.operation is not Operation.READ},
                task.requirements,
            )
            for task in draft.tasks
            if task.is_open
        ]
    )


def _saved(path: str) -> str:
    try:
        return read_text(
            Path(path), what="The plan", limit_bytes=LIMIT_BYTES, limit_name="limits.plan_bytes"
        )
    except Refused:
        return ""


def _is_in_repository(approval: Approval, environ: Mapping[str, str]) -> bool:
    folder = Path(environ.get("CLAUDE_PROJECT_DIR") or approval.folder).absolute()
    return any((parent / ".git").exists() for parent in (folder, *folder.parents))


def _said_once(approval: Approval, said: str) -> Answer | None:
    """Say it to the user unless this session's transcript shows that it was."""
    try:
        with (
            Path(approval.transcript or os.devnull).open("rb") as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text,
        ):
            is_said = text.find(words.WITHOUT_KIMI.encode()) >= 0
    except (OSError, ValueError):  # there is none yet, or it is empty
        is_said = False
    return None if is_said else {"systemMessage": said}


def _table(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
