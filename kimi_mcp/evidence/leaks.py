"""Secrets that were written into a file: told by what a redactor would take out. Pure but for it.

Only lines that the base does not have are looked at: a key that a test has always held is nobody's
news. The work itself keeps its bytes; the secret is named by its kind and its line, never shown.
"""

import re
from collections import Counter
from typing import NamedTuple

from kimi_mcp.quoting.shapes import Redact, redacted

_MARK = re.compile(re.escape(redacted("@")).replace("@", r"([^\]\n]{1,80})"))


class Leak(NamedTuple):
    """A secret, by its kind and the line of the file where it begins."""

    line: int
    kind: str


def leaks(before: str | None, after: str, *, redact: Redact) -> list[Leak]:
    """Find the secrets in the lines of *after* that *before* does not have, in order.

    Args:
        before: the file as the base has it; nothing when it is new.
        after: the file as it is now.
        redact: puts `[redacted: kind]` in each secret's place and leaves all else as it is.
    """
    known = Counter((before or "").split("\n"))
    added: list[tuple[int, str]] = []
    for number, line in enumerate(after.split("\n"), start=1):
        if known[line] > 0:
            known[line] -= 1
        else:
            added.append((number, line))
    text = "\n".join(line for _, line in added)
    told = redact(text)
    if told == text:
        return []
    return [Leak(added[row][0], kind) for row, kind in _places(text, told)]


def _places(text: str, told: str) -> list[tuple[int, str]]:
    """Return the row of *text* where each mark of *told* has taken something out, and its kind."""
    found: list[tuple[int, str]] = []
    at = 0  # in text: what lies before it is told
    end = 0  # the same place in told
    for mark in _MARK.finditer(told):
        kept = told[end : mark.start()]
        at = text.find(kept, at) + len(kept)
        end = mark.end()
        if text.startswith(mark[0], at):
            at += len(mark[0])  # the file says so itself
        else:
            found.append((text.count("\n", 0, at), mark[1]))
    return found
