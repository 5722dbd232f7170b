"""A dispatch as values for a script: names like the records', secrets taken out. Pure.

Fields are added, never renamed: scripts read them. What a dispatch was ordered to run by is left
out, for it holds paths and configuration of this machine.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, cast

from kimi_mcp.history.records import Attempt
from kimi_mcp.history.times import timestamp
from kimi_mcp.quoting.shapes import Redact
from kimi_mcp.review.report import Report, TaskReport
from kimi_mcp.review.timeline import Stretch, of_task
from kimi_mcp.review.wording import headline

_OF_DISPATCH = (
    "id",
    "state",
    "repository",
    "spec_number",
    "spec_path",
    "spec_title",
    "base_commit",
    "base_branch",
    "profile",
    "created_at",
    "started_at",
    "ended_at",
    "merged_commit",
    "note",
)
_OF_TASK = (
    "number",
    "title",
    "depends_on",
    "state",
    "outcome",
    "sentence",
    "is_checked",
    "branch",
    "commit_id",
    "started_at",
    "ended_at",
    "steps",
)


def whole_values(
    found: Report, stretches: Sequence[Stretch], *, task: int | None = None
) -> dict[str, Any]:
    """Return everything that is known of a dispatch but its transcript and diffs.

    With a *task*, `tasks` and `timeline` hold that one alone.
    """
    return {
        **{name: getattr(found.dispatch, name) for name in _OF_DISPATCH},
        "headline": headline(found),
        "delivered": len(found.delivered),
        "unchecked": sum(not task.task.is_checked for task in found.delivered),
        "steps": found.steps,
        "possible_steps": found.possible_steps,
        "expected_steps": found.expected,
        "tasks": [_task(one) for one in found.only(task).tasks],
        "landings": [asdict(landing) for landing in found.landings],
        "timeline": [asdict(stretch) for stretch in of_task(stretches, task)],
    }


def redacted(value: object, redact: Redact) -> Any:
    """Return *value* as JSON can hold it, with the secrets taken out of each text in it."""
    match value:
        case datetime():
            return timestamp(value)
        case str():
            return redact(value)
        case dict():
            known = cast("dict[str, object]", value)
            return {redact(name): redacted(one, redact) for name, one in known.items()}
        case list() | tuple():
            return [redacted(one, redact) for one in cast("Sequence[object]", value)]
        case _:
            return value


def _task(found: TaskReport) -> dict[str, Any]:
    return {
        **{name: getattr(found.task, name) for name in _OF_TASK},
        "attempts": [_attempt(attempt) for attempt in found.attempts],
        "changes": [asdict(change) for change in found.changes],
        "checks": [{**asdict(check), "is_passed": check.is_passed} for check in found.checks],
        "findings": [asdict(finding) for finding in found.findings],
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    values = asdict(attempt)
    del values["dispatch"], values["task"]
    return values
