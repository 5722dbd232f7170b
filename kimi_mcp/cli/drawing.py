"""What a person gets at a terminal: tables, pages, coloured diffs, a pager for what is long.

A file or a pipe gets the plain text instead, so whoever calls asks `is_terminal` first.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import groupby

from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from kimi_mcp.cli.wrapping import wrapped
from kimi_mcp.quoting.harmless import harmless

_GAP = 2
_BETWEEN_CELLS = re.compile(r"(?<!\\)\|")
_LESS = "FRX"  # leave at once what fits, let colours through, leave the text on the screen
_DIFF_STYLES = (
    (("diff --git ", "--- ", "+++ "), "bold"),
    (("@@",), "cyan"),
    (("+",), "green"),
    (("-",), "red"),
)


def table(
    heads: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    columns: int,
    right: Sequence[str] = (),
) -> Table:
    """Lay rows out under *heads*, without lines; what does not fit into *columns* goes, last first.

    The columns *right* are numbers. The first column is never cut: it is what one copies.
    """
    widths = _widths(heads, rows)
    count = len(heads)
    while count > 1 and _together(widths[:count]) > columns:
        count -= 1
    made = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for head, least in list(zip(heads, widths, strict=True))[:count]:
        made.add_column(head, justify="right" if head in right else "left", min_width=least)
    for row in rows:
        made.add_row(*map(Text, row[:count]))
    return made


def width(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """Say how many columns a table of all of it would take."""
    return _together(_widths(heads, rows))


def _widths(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(cell_len, column)) for column in zip(heads, *rows, strict=True)]


def _together(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def diff(text: str) -> Text:
    """Colour a diff by its lines; what would steer the terminal is made visible."""
    coloured = Text()
    for line in harmless(text).splitlines(keepends=True):
        style = next((style for starts, style in _DIFF_STYLES if line.startswith(starts)), "")
        coloured.append(line, style)
    return coloured


def page(text: str, *, columns: int) -> Group:
    """Draw a page of ours: `# ` headings, tables between bars, fences; all else as it stands.

    A line breaks between words and a cell within itself; nothing is cut. Nothing in a line means
    emphasis, for it may be part of a path.
    """
    parts: list[RenderableType] = []
    for kind, lines in groupby(_marked(text), key=_kind):
        block = [line for _, line in lines]
        match kind:
            case _Line.ROW:
                parts.append(_grid(block))
            case _Line.HEADING:
                parts += [Text(line, style="bold") for line in block]
            case _Line.CODE:
                parts += [Text(f"  {line}") for line in block]
            case _Line.PROSE:
                parts.append(Text(wrapped("\n".join(block), columns)))
    return Group(*parts)


class _Line(StrEnum):
    """What a line of a page is."""

    PROSE = "prose"
    HEADING = "heading"
    ROW = "row"
    CODE = "code"


def _kind(marked: tuple[_Line, str]) -> _Line:
    return marked[0]


def _marked(text: str) -> Iterator[tuple[_Line, str]]:
    """Tell of each line what it is, without the marks that say so."""
    is_code = False
    for line in text.split("\n"):
        if line.startswith("```"):
            is_code = not is_code
        elif is_code:
            yield _Line.CODE, line
        elif line.startswith("|"):
            yield _Line.ROW, line
        elif line.startswith("# "):
            yield _Line.HEADING, line.removeprefix("# ")
        else:
            yield _Line.PROSE, line


def _grid(lines: Sequence[str]) -> Table:
    rows = [
        [cell.strip().replace("\\|", "|") for cell in _BETWEEN_CELLS.split(line.strip("|"))]
        for line in lines
    ]
    heads, _rule, *cells = rows
    made = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold")
    for head in heads:
        made.add_column(Text(head), overflow="fold")
    for row in cells:
        made.add_row(*map(Text, row))
    return made


def draw(*parts: RenderableType) -> None:
    """Draw on the terminal; a plain text is left to it to break."""
    console = Console(highlight=False, markup=False, emoji=False)
    for part in parts:
        console.print(part, soft_wrap=isinstance(part, str))


def draw_paged(*parts: RenderableType) -> None:
    """Draw, in the user's pager when there is one."""
    console = Console(highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        for part in parts:
            console.print(part, soft_wrap=isinstance(part, str | Text))
    argv = shlex.split(os.environ.get("PAGER") or "less")
    if not argv or shutil.which(argv[0]) is None:
        sys.stdout.write(captured.get())
        return
    with subprocess.Popen(
        argv,
        stdin=subprocess.PIPE,
        env={"LESS": _LESS, "LESSCHARSET": "utf-8", **os.environ},
    ) as pager:
        pager.communicate(
            captured.get().encode(sys.stdout.encoding, sys.stdout.errors or "replace")
        )
