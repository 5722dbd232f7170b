"""Setting single members in a person's JSON text; every other byte stays. Pure.

What is new is put first in its object or list, on lines of its own where these have lines, so that
no line of the person's is touched. The result is read again and must mean exactly what was asked.
"""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias, cast

Path: TypeAlias = Sequence[str]
Json: TypeAlias = dict[str, Any]

_SPACE = re.compile(r"[ \t\r\n]*")
_SCALAR = re.compile(r"[^\s,\]}]+")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_UNIT = 2


class NotEditable(Exception):
    """The text is no JSON object, or cannot be edited safely; the words say where."""


class _Node(NamedTuple):
    """A value: where it stands, and its members by key (of a list: by position)."""

    start: int
    end: int
    members: dict[str, tuple[int, "_Node"]]


def read(text: str) -> Json:
    """Read a JSON object; an empty text is an empty one.

    Raises:
        NotEditable: it is none.
    """
    if not text.strip():
        return {}
    try:
        found: Any = json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise NotEditable(str(error)) from error
    if not isinstance(found, dict):
        raise NotEditable("it holds no object")
    return cast("Json", found)


def with_member(text: str, path: Path, value: object) -> str:
    """Set the member at *path*; objects on the way are made.

    Raises:
        NotEditable: see `read`; or something on the way is no object.
    """
    wanted = read(text)
    place = _made(wanted, path[:-1])
    if path[-1] in place and place[path[-1]] == value:
        return text
    place[path[-1]] = value
    return _proved(_put(text if text.strip() else "{}\n", path, value), wanted)


def with_item(text: str, path: Path, value: object) -> str:
    """Put *value* first into the list at *path*, unless it is in it; the list is made if missing.

    Raises:
        NotEditable: see `with_member`; or there is something else at *path*.
    """
    wanted = read(text)
    items: Any = _made(wanted, path[:-1]).get(path[-1])
    if items is None:
        return with_member(text, path, [value])
    if not isinstance(items, list):
        raise NotEditable(f"{'.'.join(path)} is no list")
    listed = cast("list[object]", items)
    if value in listed:
        return text
    listed.insert(0, value)
    return _proved(_put(text, [*path, "0"], value, is_new=True), wanted)


def without(text: str, path: Path, is_meant: Callable[[Any], bool] = lambda _: True) -> str:
    """Take the member at *path* out, or, where a list stands there, those items that are meant.

    What holds nothing any more goes too, up to the whole: an empty object is left.

    Raises:
        NotEditable: see `read`.
    """
    while True:
        wanted = read(text)
        place = _at(wanted, path)
        if place is _NOTHING:
            return text
        if isinstance(place, list):
            items = cast("list[object]", place)
            index = next((n for n, item in enumerate(items) if is_meant(item)), None)
            if index is None:
                return text
            if len(items) > 1:
                del items[index]
                text = _proved(_cut(text, [*path, str(index)]), wanted)
                continue
        elif not is_meant(place):
            return text
        gone = list(path)
        while len(gone) > 1 and len(cast("Json", _at(wanted, gone[:-1]))) == 1:
            gone.pop()
        del cast("Json", _at(wanted, gone[:-1]))[gone[-1]]
        return _proved(_cut(text, gone), wanted)


_NOTHING = object()


def _at(value: object, path: Path) -> object:
    for key in path:
        if not isinstance(value, dict) or key not in value:
            return _NOTHING
        value = cast("Json", value)[key]
    return value


def _made(whole: Json, path: Path) -> Json:
    for key in path:
        inner = whole.setdefault(key, {})
        if not isinstance(inner, dict):
            raise NotEditable(f"{key} is no object")
        whole = cast("Json", inner)
    return whole


def _put(text: str, path: Path, value: object, *, is_new: bool = False) -> str:
    node, depth = _scan(text), 0
    known = len(path) - is_new
    while depth < known and path[depth] in node.members:
        node = node.members[path[depth]][1]
        depth += 1
    indent = _indent(text, depth)
    if depth == len(path):
        return text[: node.start] + _dumped(value, text, indent) + text[node.end :]
    for key in reversed(path[depth + 1 :]):
        value = {key: value}
    label = "" if text[node.start] == "[" else json.dumps(path[depth], ensure_ascii=False) + ": "
    inside = node.start + 1
    if not node.members:
        line = _newline(text) + _indent(text, depth + 1)
        written = line + label + _dumped(value, text, _indent(text, depth + 1))
        return text[:inside] + written + _newline(text) + indent + text[node.end - 1 :]
    first = min(start for start, _ in node.members.values())
    before = text[inside:first]
    if "\n" not in before:
        written = label + json.dumps(value, ensure_ascii=False) + ", "
        return text[:first] + written + text[first:]
    line = before[before.rindex("\n") + 1 :]
    written = label + _dumped(value, text, line) + "," + _newline(text) + line
    return text[:first] + written + text[first:]


def _cut(text: str, path: Path) -> str:
    node = _scan(text)
    for key in path[:-1]:
        node = node.members[key][1]
    order = sorted((start, inner.end) for start, inner in node.members.values())
    start, inner = node.members[path[-1]]
    at = order.index((start, inner.end))
    if len(order) == 1:
        return text[: node.start + 1] + text[node.end - 1 :]
    if at + 1 < len(order):
        return text[:start] + text[order[at + 1][0] :]
    return text[: order[at - 1][1]] + text[inner.end :]


def _proved(text: str, wanted: Json) -> str:
    if read(text) != wanted:
        raise NotEditable("the result would mean something else")
    return text


def _unique(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _indent(text: str, depth: int) -> str:
    match = re.search(r"\{[ \t]*\r?\n([ \t]+)", text)
    return (match[1] if match else " " * _UNIT) * depth


def _dumped(value: object, text: str, indent: str) -> str:
    unit = _indent(text, 1)
    dumped = json.dumps(value, indent=unit, ensure_ascii=False)
    return dumped.replace("\n", _newline(text) + indent)


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _scan(text: str) -> _Node:
    try:
        return _value(text, _after_space(text, 0))
    except RecursionError as error:
        raise NotEditable("it is nested too deeply") from error


def _value(text: str, start: int) -> _Node:
    if text[start] == '"':
        return _Node(start, _end(_STRING, text, start), {})
    if text[start] not in "{[":
        return _Node(start, _end(_SCALAR, text, start), {})
    is_object = text[start] == "{"
    members: dict[str, tuple[int, _Node]] = {}
    at = _after_space(text, start + 1)
    while text[at] not in "}]":
        begin, key = at, str(len(members))
        if is_object:
            stop = _end(_STRING, text, at)
            key, at = str(json.loads(text[at:stop])), stop
            at = _after_space(text, _after_space(text, at) + 1)  # the colon
        inner = _value(text, at)
        members[key] = (begin, inner)
        at = _after_space(text, inner.end)
        if text[at] == ",":
            at = _after_space(text, at + 1)
    return _Node(start, at + 1, members)


def _after_space(text: str, at: int) -> int:
    return _end(_SPACE, text, at)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at
