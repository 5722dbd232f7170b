"""What texts and numbers any tool takes at all, looked at before the tool sees them. Pure.

What passes can be written to a file, handed to a program and stored, and cannot draw on a terminal.
What each argument means is for the tool.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from kimi_mcp.reading import shown

#: Arguments that are texts of many lines; every other one is a name, a path or a title.
_LONG = frozenset({"plan", "requirements", "verification", "feedback"})
_NAME_CHARS = 4_096  # as long as a path may be on Linux
_TEXT_CHARS = 1_000_000
_ITEMS = 1_000
_NUMBER = 1_000_000_000


def flaws(arguments: Mapping[str, Any]) -> list[str]:
    """Say of each argument that no tool can use: which, what is wrong, what would fit."""
    found: list[str] = []
    for name, value in arguments.items():
        found += [f"{name} {flaw}" for flaw in _flaws(name, value)]
    return found


def _flaws(name: str, value: object) -> Iterator[str]:
    match value:
        case str():
            yield from _of_text(value, is_long=name in _LONG, is_plan=name == "plan")
        case bool():
            pass
        case int() if abs(value) > _NUMBER:
            yield f"is a number beyond all bounds; give one up to {_NUMBER}"
        case dict():
            for inner, item in cast("dict[str, object]", value).items():
                key = shown(inner)
                yield from (f"({key}) {flaw}" for flaw in _flaws(inner, item))
                if key != inner:
                    yield f'has a field "{key}", which no tool knows; leave it out'
        case list():
            items = cast("Sequence[object]", value)
            if len(items) > _ITEMS:
                yield f"has {len(items)} items; give at most {_ITEMS}"
                return
            for item in items:
                yield from _flaws(name, item)
        case _:
            pass


def _of_text(text: str, *, is_long: bool, is_plan: bool) -> Iterator[str]:
    longest = _TEXT_CHARS if is_long else _NAME_CHARS
    if len(text) > longest and not is_plan:  # a plan's bound is a setting
        yield f"has {len(text)} characters; give at most {longest}"
    if any("\ud800" <= letter <= "\udfff" for letter in text) or "\0" in text:
        yield "holds a NUL or half a character; give plain text"
    elif not is_long and any(ord(letter) < ord(" ") or letter == "\x7f" for letter in text):
        yield "holds a line break or another control character; give one line of plain text"
