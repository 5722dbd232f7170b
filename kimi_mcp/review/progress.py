"""One line of progress for each thing that happens: `step 7 · task 2/3 · "Edit src/a.py"`. Pure."""

from collections.abc import Sequence

from kimi_mcp.dispatch.events import Checked, Committed, Ended, Noted, Started, Step, decode
from kimi_mcp.history.records import Event
from kimi_mcp.quoting.quotes import counted, inline, quoted

TARGET_CHARS = 80


class Progress:
    """Turns a dispatch's events into lines; the events' numbers rise, so they are the progress."""

    def __init__(self, tasks: Sequence[int]) -> None:
        self._positions = {number: place for place, number in enumerate(sorted(tasks), start=1)}
        self._steps: dict[int, int] = {}

    def line(self, event: Event) -> str | None:
        """Return the line for *event*, or nothing when it is not worth one."""
        if event.task is None:
            return None
        place = f"task {self._positions.get(event.task, event.task)}/{len(self._positions)}"
        happened = decode(event.kind, event.payload)
        if isinstance(happened, Step):
            self._steps[event.task] = happened.number
        step = f"step {self._steps.get(event.task, 0)}"
        match happened:
            case Started():
                node = f" on {inline(happened.node, limit=TARGET_CHARS)}" if happened.node else ""
                return f"{step} · {place} · started{node}"
            case Step(tool=""):
                return f"{step} · {place} · thinking"
            case Step():
                deed = quoted(f"{happened.tool} {happened.target}", limit=TARGET_CHARS)
                return f"{step} · {place} · {deed}"
            case Committed():
                return (
                    f"{step} · {place} · {counted(len(happened.changes), 'file')} changed, checking"
                )
            case Checked(check=check):
                how = "passed" if check.is_passed else "failed"
                return f"{step} · {place} · {quoted(check.command, limit=TARGET_CHARS)} {how}"
            case Noted():
                return f"{step} · {place} · {inline(happened.text, limit=TARGET_CHARS)}"
            case Ended():
                doubt = ", unchecked" if happened.is_delivered and not happened.is_checked else ""
                return f"{step} · {place} · {happened.word}{doubt}"
            case _:
                return None
