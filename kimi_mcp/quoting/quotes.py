"""A worker's words within a sentence of ours: `"…"`, which they cannot close. Pure.

The one form for file names, titles, commands and short quotes. Between the marks no double quote
ever stands, whatever alphabet it is from, so the next one ends the quote; a sentence that is cut
within a quote gets its mark back.
"""

import re
from collections.abc import Collection, Iterable
from itertools import islice

from kimi_mcp.quoting.harmless import harmless

NAME_CHARS = 120
_DOUBLE = re.compile('["\u201c-\u201f\u00ab\u00bb\u2033\u2036\u300c-\u300f\u301d-\u301f\uff02]')


def quoted(text: str, *, limit: int) -> str:
    """Quote *text* on one line of at most *limit* characters and the two marks.

    Its own double quotes become single ones.
    """
    line = _DOUBLE.sub("'", harmless(" ".join(text.split())))
    return f'"{line}"' if len(line) <= limit else f'"{line[: limit - 1]}…"'


def named(names: Collection[str], *, most: int, limit: int = NAME_CHARS) -> str:
    """Quote the first *most* of some names, and count the others."""
    more = len(names) - most
    return ", ".join(_each(islice(names, most), limit)) + (f" and {more} more" if more > 0 else "")


def counted(count: int, noun: str) -> str:
    """Say how many there are of something whose plural ends in s: `1 file`, `2 files`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def inline(text: str, *, limit: int) -> str:
    """Put a sentence of ours, which may hold quotes, on one line of at most *limit* characters."""
    line = harmless(" ".join(text.split()))
    if len(line) <= limit:
        return line
    cut = line[: limit - 1]
    if _is_closed(cut):
        return f"{cut}…"
    cut = line[: limit - 2]
    return f"{cut}…" if _is_closed(cut) else f'{cut}…"'


def _each(names: Iterable[str], limit: int) -> Iterable[str]:
    return (quoted(name, limit=limit) for name in names)


def _is_closed(line: str) -> bool:
    return line.count('"') % 2 == 0
