"""Setting single keys in a person's TOML text; every other byte stays. Pure.

tomlkit keeps comments, order and spacing, but it has met files that it wrote back wrongly. So the
result is read again by the strict parser, and must mean the old file plus exactly the new values.
"""

import copy
import tomllib
from collections.abc import Mapping, MutableMapping
from typing import Any, TypeAlias, cast

import tomlkit
from tomlkit.exceptions import TOMLKitError

Key: TypeAlias = tuple[str, ...]
Plain: TypeAlias = str | int | float | bool | list[Any]


class NotEditable(Exception):
    """The text is TOML, but these keys cannot be set in it safely."""


def with_values(text: str, values: Mapping[Key, Plain]) -> str:
    """Return *text* with *values* set, and unchanged where they stand there already.

    Raises:
        tomllib.TOMLDecodeError: *text* is no TOML.
        NotEditable: a key on the way is no table, or the edit would change something else.
    """
    before = tomllib.loads(text)
    missing = {
        key: value for key, value in values.items() if not is_same(value_at(before, key), value)
    }
    if not missing:
        return text
    has_crlf = "\r\n" in text and "\n" not in text.replace("\r\n", "")
    plain = text.replace("\r\n", "\n") if has_crlf else text
    try:
        document = tomlkit.parse(plain)
        _set(cast("MutableMapping[str, Any]", document), missing)
        edited = tomlkit.dumps(document)
        after = tomllib.loads(edited)
    except (TOMLKitError, TypeError, AttributeError, ValueError) as error:
        raise NotEditable(f"the result would be no TOML: {error}") from error
    expected = copy.deepcopy(before)
    _set(expected, missing)
    if after != expected:
        raise NotEditable("the result would mean something else")
    return edited.replace("\n", "\r\n") if has_crlf else edited


def value_at(table: Mapping[str, Any], key: Key) -> object:
    """Return what stands at *key*, None where nothing does."""
    found: Any = table
    for part in key:
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = cast("Mapping[str, Any]", found)[part]
    return found


def is_same(present: object, wanted: Plain) -> bool:
    """Compare as TOML does, where true is not 1."""
    return type(present) is type(wanted) and present == wanted


def _set(table: MutableMapping[str, Any], values: Mapping[Key, Plain]) -> None:
    for key, value in values.items():
        inner = table
        for part in key[:-1]:
            if part not in inner:
                inner[part] = {}
            following: Any = inner[part]
            if not isinstance(following, MutableMapping):
                raise NotEditable(f"{part} is no table")
            inner = cast("MutableMapping[str, Any]", following)
        inner[key[-1]] = value
