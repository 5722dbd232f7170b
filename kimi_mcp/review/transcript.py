"""The steps of a task in order, for reading. Pure.

What Kimi said and which tools it called, numbered by step, within a budget of 2,000 tokens; the
rest is reached by `from_step`.
"""

from collections.abc import Iterable

from kimi_mcp.dispatch.events import Checked, Committed, Ended, Noted, Said, Step, ToolDone, decode
from kimi_mcp.history.records import Event
from kimi_mcp.quoting import inline

BUDGET_CHARS = 6_000
SAID_CHARS = 300
TARGET_CHARS = 120


def transcript(events: Iterable[Event], *, from_step: int = 1) -> tuple[str, int | None]:
    """Tell the steps of the newest attempt from *from_step* on, and how earlier ones ended.

    Returns:
        The text, and the step to go on from when it did not all fit.
    """
    told = list(events)
    newest = max((event.attempt or 0 for event in told), default=0)
    lines = [*map(_earlier, (event for event in told if _is_earlier_end(event, newest)))]
    used = 0
    step = 0
    for event in (event for event in told if event.attempt == newest):
        happened = decode(event.kind, event.payload)
        if isinstance(happened, Step):
            step = happened.number
        line = _line(step, happened)
        if line is None or max(step, 1) < from_step:  # what came before step 1 goes with it
            continue
        used += len(line) + 1
        if used > BUDGET_CHARS and step > from_step:
            return "\n".join(lines), step
        lines.append(line)
    return "\n".join(lines), None


def _is_earlier_end(event: Event, newest: int) -> bool:
    return event.kind == "task.ended" and event.attempt != newest


def _earlier(event: Event) -> str:
    sentence = inline(str(event.payload.get("sentence", "")), limit=SAID_CHARS)
    return f"(attempt {event.attempt}: {event.payload.get('outcome') or 'ended'}. {sentence})"


def _line(step: int, happened: object) -> str | None:
    match happened:
        case ToolDone():
            took = "" if happened.duration_ms is None else f" ({happened.duration_ms} ms)"
            mark = " FAILED" if happened.is_error else ""
            target = inline(happened.target, limit=TARGET_CHARS)
            return f"{step}. {happened.tool} {target}{took}{mark}"
        case Said():
            return f'{step}. says: "{inline(happened.text, limit=SAID_CHARS)}"'
        case Noted():
            return f"{step}. note: {inline(happened.text, limit=SAID_CHARS)}"
        case Committed():
            return f"— {len(happened.changes)} files changed; committed for the checks"
        case Checked(check=check):
            code = "no exit code" if check.exit_code is None else f"exit code {check.exit_code}"
            return f"— check `{inline(check.command, limit=TARGET_CHARS)}`: {code}"
        case Ended():
            return f"— ended: {inline(happened.sentence, limit=SAID_CHARS)}"
        case _:
            return None
