r"""The lines that carry structure in a spec, and how other text is kept from looking like them.

Fenced code and HTML comments are opaque: no line in them is structure. Free text that would be read
as structure gets one backslash before its marker (`\## Title`, `Files\: three`), which Markdown
shows as if it were not there; reading takes exactly one away, so any text survives the round trip.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

MARK = "[INDEPENDENT]"

_HEADING = re.compile(r"(#{1,6})(?:[ \t]+(.*))?")
_LABEL_WORDS = (
    r"D(?i:epends on)|F(?i:iles)(?: [A-Za-z/ ]*[A-Za-z])?"
    r"|R(?i:equirements)|V(?i:erification)|B(?i:udget)"
)
_KNOWN_LABEL = re.compile(rf"(?:\*\*)?({_LABEL_WORDS})(?:\*\*)?(\\*):(?:\*\*)?(.*)")
_OTHER_LABEL = re.compile(r"([A-Z][A-Za-z]*(?: [A-Za-z]+){0,3})(\\*):[ \t]*")
_BULLET = re.compile(r"[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?(?=\S)")
_OPENING = re.compile(r"[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)?(\\*)(`{3,}(?=[^`]*$)|~{3,})")
_COMMENT = re.compile(r"[ \t]*(\\*)<!--")
_CLOSING = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*")
_MARK = re.compile(rf"(\\*){re.escape(MARK)}$")
_SPEC_TITLE = re.compile(r"(?:(\d{0,6})[ \t]*(?:--|[-—\u2013:])(?:[ \t]+|$))?(.*)")
_ESCAPABLE_HEADING = re.compile(r"(\\*)(#{1,3})(?=[ \t]|$)")


class Heading(NamedTuple):
    """An ATX heading at the start of a line."""

    level: int
    text: str


class Label(NamedTuple):
    """A `Label:` line; *rest* is what stands after the colon."""

    name: str
    rest: str
    is_known: bool


class Region(NamedTuple):
    """Opaque lines, `start` to `stop` (exclusive); `stop` is None where no line closes it."""

    start: int
    stop: int | None
    is_comment: bool


def plain(text: str) -> str:
    r"""Give *text* with `\n` line ends and without blank lines or spaces around it."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    while lines and not lines[0].strip():
        del lines[0]
    while lines and not lines[-1].strip():
        del lines[-1]
    if lines:
        lines[-1] = lines[-1].rstrip()
    return "\n".join(lines)


def heading(line: str) -> Heading | None:
    """Read an ATX heading that starts in the first column."""
    found = _HEADING.fullmatch(line)
    return Heading(len(found[1]), (found[2] or "").strip()) if found else None


def label(line: str) -> Label | None:
    """Read a `Label:` line that starts in the first column; escaped ones are text."""
    found = _KNOWN_LABEL.fullmatch(line)
    if found:
        return None if found[2] else Label(found[1], found[3].strip(), is_known=True)
    found = _OTHER_LABEL.fullmatch(line)
    return Label(found[1], "", is_known=False) if found and not found[2] else None


def item(line: str) -> str | None:
    """Give the text of a list item's first line, without bullet and check box."""
    found = _BULLET.match(line)
    return line[found.end() :].strip() if found else None


def opens_fence(line: str) -> bool:
    """Tell whether *line* would open a fenced block."""
    found = _OPENING.match(line)
    return bool(found and not found[1])


def regions(lines: Sequence[str]) -> Iterator[Region]:
    """Find fenced blocks and comments; an unclosed one is reported and reading goes on after it."""
    ends = _Ends.of(lines)
    position = 0
    while position < len(lines):
        region = _region(lines, position, ends)
        if region:
            yield region
        position = region.stop if region and region.stop else position + 1


def escape(text: str, *, levels: int) -> str:
    """Keep *text* from being read as structure where headings up to *levels* are structure."""
    lines = text.split("\n")
    unclosed: set[int] = set()
    opaque: set[int] = set()
    for region in regions(lines):
        if region.stop is None:
            unclosed.add(region.start)
        else:
            opaque.update(range(region.start, region.stop))
    for number, line in enumerate(lines):
        if number not in opaque:
            at = _marker(line, levels=levels, is_unclosed=number in unclosed)
            if at is not None:
                lines[number] = f"{line[:at]}\\{line[at:]}"
    return "\n".join(lines)


def unescape(text: str, *, levels: int) -> str:
    """Take away what `escape` added."""
    lines = text.split("\n")
    opaque = {n for r in regions(lines) if r.stop for n in range(r.start, r.stop)}
    for number, line in enumerate(lines):
        at = None if number in opaque else _marker(line, levels=levels, is_unclosed=False)
        if at is not None and line[at : at + 1] == "\\":
            lines[number] = line[:at] + line[at + 1 :]
    return "\n".join(lines)


def spec_title(text: str) -> tuple[int | None, str]:
    """Split `001 -- Title` into number and title."""
    found = _SPEC_TITLE.fullmatch(text)
    number, title = (found[1], found[2]) if found else (None, text)
    return int(number) if number else None, title


def splits_title(title: str) -> bool:
    """Tell whether the beginning of *title* would be read as a number or a separator."""
    found = _SPEC_TITLE.fullmatch(title)
    return bool(found and found[1] is not None)


def escape_mark(title: str) -> str:
    """Keep the end of *title* from being read as the mark."""
    found = _MARK.search(title)
    return f"{title[: found.start()]}\\{title[found.start() :]}" if found else title


def split_mark(title: str) -> tuple[str, bool]:
    """Split a heading's text into the title and whether it bears the mark."""
    found = _MARK.search(title)
    is_marked = bool(found and not found[1])
    if is_marked:
        title = title.removesuffix(MARK).rstrip()
        found = _MARK.search(title)
    if found and found[1]:
        title = title[: found.start()] + title[found.start() + 1 :]
    return title, is_marked


class _Ends(NamedTuple):
    """What could close a region, known beforehand: a search that is begun also ends.

    So reading takes no longer for thousands of regions that nothing closes than for one.
    """

    longest: Mapping[str, Sequence[int]]  # by a fence's character: of the fences from a line on
    last_comment: int

    @classmethod
    def of(cls, lines: Sequence[str]) -> "_Ends":
        longest = {"`": [0] * (len(lines) + 1), "~": [0] * (len(lines) + 1)}
        last_comment = -1
        for number in range(len(lines) - 1, -1, -1):
            for lengths in longest.values():
                lengths[number] = lengths[number + 1]
            found = _CLOSING.fullmatch(lines[number])
            if found:
                lengths = longest[found[1][0]]
                lengths[number] = max(lengths[number], len(found[1]))
            if last_comment < 0 and "-->" in lines[number]:
                last_comment = number
        return cls(longest, last_comment)


def _region(lines: Sequence[str], start: int, ends: _Ends) -> Region | None:
    opening = _OPENING.match(lines[start])
    if opening and not opening[1]:
        return Region(start, _fence_end(lines, start, opening[2], ends), is_comment=False)
    comment = _COMMENT.match(lines[start])
    if comment and not comment[1]:
        return Region(start, _comment_end(lines, start, comment.end(), ends), is_comment=True)
    return None


def _fence_end(lines: Sequence[str], start: int, fence: str, ends: _Ends) -> int | None:
    if ends.longest[fence[0]][start + 1] < len(fence):
        return None
    for number in range(start + 1, len(lines)):
        found = _CLOSING.fullmatch(lines[number])
        if found and found[1].startswith(fence):
            return number + 1
    return None


def _comment_end(lines: Sequence[str], start: int, after: int, ends: _Ends) -> int | None:
    for number in range(start, ends.last_comment + 1):
        if "-->" in lines[number][after if number == start else 0 :]:
            return number + 1
    return None


def _marker(line: str, *, levels: int, is_unclosed: bool) -> int | None:
    """Find where the backslashes before a structural marker begin, were they there or not."""
    found = _ESCAPABLE_HEADING.match(line)
    if found:
        return 0 if len(found[2]) <= levels else None
    found = _KNOWN_LABEL.fullmatch(line) or _OTHER_LABEL.fullmatch(line)
    if found:
        return found.start(2)
    found = _OPENING.match(line) or _COMMENT.match(line)
    if found and (is_unclosed or found[1]):
        return found.start(1)
    return None
