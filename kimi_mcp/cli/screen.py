"""The live view, drawn: a line for each task, what it adds up to, and the keys.

Thin on purpose: `review.board` and `review.transcript` decide what is said. Nothing rests on colour
alone, and each sign has one of ASCII (`letters`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.style import Style
from rich.table import Table
from rich.text import Text

from kimi_mcp.lifecycle import TaskState
from kimi_mcp.review.board import Row, clock, listed

WIDE = 110  # columns from which the order has one of its own
_CHROME = 7  # lines about the tasks: title, totals, heads, quota, keys, two free ones
_LOOKS: dict[TaskState, tuple[str, str]] = {
    TaskState.WAITING: ("○", "dim"),
    TaskState.RUNNING: ("●", "cyan"),
    TaskState.CHECKING: ("●", "magenta"),
    TaskState.DELIVERED: ("✓", "green"),
    TaskState.FAILED: ("✗", "red"),
    TaskState.CANCELLED: ("-", "yellow"),
    TaskState.LOST: ("✗", "red"),
    TaskState.SKIPPED: ("-", "dim"),
}
KEYS = "↑ ↓ task · l log · c cancel · q leave, the work goes on"
LOG_KEYS = "↑ ↓ scroll · l tasks · c cancel · q leave, the work goes on"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All that the live view shows at one moment."""

    title: str
    totals: str
    quota: str
    rows: Sequence[Row]
    selected: int = 0  # of the rows
    question: str | None = None  # instead of the keys
    log: Sequence[str] | None = None  # of the selected task, instead of the tasks
    scrolled: int = 0  # lines up from the log's end


def drawn(view: View, *, columns: int, lines: int) -> RenderableType:
    """Draw *view* for a terminal of this size."""
    body, keys = (
        (_table(view, columns=columns, lines=lines), KEYS)
        if view.log is None
        else (_log(view, view.log, lines=lines), LOG_KEYS)
    )
    head = [_line(view.title, "bold"), _line(view.totals)]
    foot = [_line(view.quota, "dim")] if view.quota else []
    last = _line(keys, "dim") if view.question is None else _line(view.question, "bold yellow")
    return Group(*head, Text(), body, Text(), *foot, last)


def _line(text: str, style: str = "") -> Text:
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def _table(view: View, *, columns: int, lines: int) -> Table:
    has_order = columns >= WIDE and any(row.depends_on for row in view.rows)
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), expand=True, header_style="dim")
    table.add_column("", width=1)
    table.add_column("", width=1)
    table.add_column("", justify="right", min_width=1)
    table.add_column("task", ratio=3, no_wrap=True)
    if has_order:
        table.add_column("after", max_width=12, no_wrap=True)
    table.add_column("state", width=9)
    table.add_column("steps", justify="right", min_width=5, no_wrap=True)
    table.add_column("checks", justify="right", width=6, no_wrap=True)
    table.add_column("time", justify="right", min_width=5, no_wrap=True)
    table.add_column("", ratio=4, no_wrap=True)
    room = max(lines - _CHROME, 1)
    first = max(0, min(view.selected - room // 2, len(view.rows) - room))
    for place, row in enumerate(view.rows[first : first + room], start=first):
        sign, style = _LOOKS[row.state]
        is_selected = place == view.selected
        cells = [
            Text(">" if is_selected else ""),
            Text(sign, style=style),
            Text(str(row.number)),
            Text(row.title),
            *([Text(listed(row.depends_on), style="dim")] if has_order else []),
            Text(row.state, style=style),
            Text(_of(row.steps, row.budget) if row.steps else ""),
            Text(_checks(row), style="red" if row.failed else ""),
            Text("" if row.elapsed_s is None else clock(row.elapsed_s)),
            Text(row.doing, style="red" if row.state is TaskState.FAILED else ""),
        ]
        table.add_row(*cells, style=Style(bold=is_selected))
    return table


def _checks(row: Row) -> str:
    if row.failed:
        return f"{row.failed} bad"
    return _of(row.passed, row.checks) if row.checks else "none"


def _of(count: int, most: int) -> str:
    return f"{count}/{most}" if most else str(count)


def _log(view: View, log: Sequence[str], *, lines: int) -> Group:
    row = view.rows[view.selected]
    room = max(lines - _CHROME, 1)
    end = max(len(log) - view.scrolled, min(room, len(log)))
    shown = log[max(end - room, 0) : end]
    head = _line(f"{row.number} {row.title}: {row.state}", "bold")
    return Group(head, *([_line(line) for line in shown] or [_line("(no step yet)", "dim")]))


def text_of(view: View, *, columns: int, lines: int) -> str:
    """Draw *view* without colours, as a text of lines."""
    console = Console(width=columns, height=lines, color_system=None, force_terminal=False)
    with console.capture() as captured:
        console.print(drawn(view, columns=columns, lines=lines))
    return "\n".join(line.rstrip() for line in captured.get().splitlines())
