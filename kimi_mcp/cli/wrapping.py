"""Lines for a terminal's width: broken between words, which a terminal itself does anywhere. Pure.

A command in backticks stays in one piece, for one copies it; what is wider than the terminal is
left to it, for the same reason. What stands behind a margin goes on behind one, so that nothing of
others ever begins a line as if it were ours.
"""

import re
from collections.abc import Iterator
from unicodedata import combining, east_asian_width

from kimi_mcp.quoting.envelope import MARGIN

_WHOLE = re.compile(r'"(?:[^"\\\n]|\\.)*"|(?P<command>`[^`\n]+`)')
_KEPT = "\0"  # a space that a line is not broken at
_HANGING = re.compile(r" *(?:- |\d+\. )?")
_LEAST = 20  # columns beside an indent


def wrapped(text: str, columns: int) -> str:
    """Return *text* with no line wider than *columns*, but for words that are."""
    return "\n".join(part for line in text.split("\n") for part in _parts(line, columns))


def width(text: str) -> int:
    """Say how many columns *text* takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(letter: str) -> int:
    if combining(letter):
        return 0
    return 2 if east_asian_width(letter) in {"W", "F"} else 1


def _parts(line: str, columns: int) -> Iterator[str]:
    if width(line) <= columns:
        yield line
    elif line.startswith(MARGIN):
        yield from (MARGIN + part for part in _cut(line.removeprefix(MARGIN), columns))
    else:
        yield from _filled(line, columns)


def _cut(text: str, columns: int) -> Iterator[str]:
    room = max(columns - width(MARGIN), _LEAST)
    part, taken = "", 0
    for letter in text:
        if taken + _columns(letter) > room:
            yield part
            part, taken = "", 0
        part += letter
        taken += _columns(letter)
    yield part


def _filled(line: str, columns: int) -> Iterator[str]:
    found = _HANGING.match(line)
    lead = found[0] if found else ""
    indent = " " * (len(lead) if columns - len(lead) >= _LEAST else 0)
    part, is_begun = lead, False
    for word in _WHOLE.sub(_kept, line[len(lead) :]).split(" "):
        gap = " " if is_begun else ""
        if is_begun and width(part + gap + word) > columns:
            yield part.replace(_KEPT, " ")
            part, gap = indent, ""
        part += gap + word
        is_begun = True
    yield part.replace(_KEPT, " ")


def _kept(found: re.Match[str]) -> str:
    return found[0].replace(" ", _KEPT) if found["command"] else found[0]
