"""The steps of a task in order, for reading. Pure.

What Kimi said and which tools it called, numbered by step, within a budget of 2,000 tokens; the
rest is reached by `from_step`.
"""

from collections.abc import Iterable, Iterator

from kimi_mcp.dispatch.events import Checked, Committed, Ended, Noted, Said, Step, ToolDone, decode
from kimi_mcp.history.records import Event
from kimi_mcp.quoting.quotes import counted, inline

BUDGET_CHARS = 6_000
SAID_CHARS = 300
TARGET_CHARS = 120


def transcript(events: Iterable[Event], *, from_step: int = 1) -> tuple[str, int | None]:
    """Tell the steps of the newest attempt from *from_step* on, and how earlier ones ended.

    Returns:
        The text, and the step to go on from when it did not all fit.
    """
    told = list(events)
    lines = _earlier_ends(told)
    used = 0
    for step, line in _newest(told, from_step):
        used += len(line) + 1
        if used > BUDGET_CHARS and step > from_step:
            return "\n".join(lines), step
        lines.append(line)
    return "\n".join(lines), None


def whole(events: Iterable[Event], *, from_step: int = 1) -> list[str]:
    """Tell the same, of any length, as lines: for a person who can scroll."""
    told = list(events)
    return [*_earlier_ends(told), *(line for _, line in _newest(told, from_step))]


def _earlier_ends(told: list[Event]) -> list[str]:
    newest = _newest_attempt(told)
    return [_earlier(event) for event in told if _is_earlier_end(event, newest)]


def _newest(told: list[Event], from_step: int) -> Iterator[tuple[int, str]]:
    """Yield each line of the newest attempt from a step on, with the step that it belongs to.

    What came before step 1 goes with it.
    """
    step, newest = 0, _newest_attempt(told)
    for event in (event for event in told if event.attempt == newest):
        happened = decode(event.kind, event.payload)
        if isinstance(happened, Step):
            step = happened.number
        if max(step, 1) >= from_step and (line := _line(step, happened)) is not None:
            yield step, line


def _newest_attempt(told: list[Event]) -> int:
    return max((event.attempt or 0 for event in told), default=0)


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
            return f"— {counted(len(happened.changes), 'file')} changed; committed for the checks"
        case Checked(check=check):
            code = "no exit code" if check.exit_code is None else f"exit code {check.exit_code}"
            return f"— check `{inline(check.command, limit=TARGET_CHARS)}`: {code}"
        case Ended():
            return f"— ended: {inline(happened.sentence, limit=SAID_CHARS)}"
        case _:
            return None
