"""A spec's front matter: a flat YAML mapping of known keys, read with the safe loader only."""

import importlib
from collections.abc import Callable, Iterator
from typing import Any, NotRequired, TypedDict, cast

from kimi_mcp.errors import nearest
from kimi_mcp.spec.source import Source

_TEXT_KEYS = ("source", "source_hash", "base", "profile")
_NUMBER_KEYS = ("number", "budget")
_MAX_BYTES = 65_536
_LARGEST = 999_999
_DEPTH = 2  # a mapping, and `from_plan` in it


class Front(TypedDict):
    """The fields of a `Spec` that front matter can set."""

    number: NotRequired[int]
    source: NotRequired[str]
    source_hash: NotRequired[str]
    base: NotRequired[str]
    profile: NotRequired[str]
    budget: NotRequired[int]
    from_plan: NotRequired[tuple[tuple[str, str], ...]]


def read_front(source: Source) -> tuple[Front, int]:
    """Read the front matter, if there is any: its values, and the line after it."""
    if not source.lines or source.lines[0].rstrip() != "---":
        return Front(), 0
    for line in range(1, len(source.lines)):
        if source.lines[line].rstrip() == "---":
            return _values(source, line), source.after_blank(line + 1, len(source.lines))
    source.report(0, "the front matter is never closed; close it with a line `---`")
    return Front(), len(source.lines)


def _values(source: Source, stop: int) -> Front:
    mapping = _load(source, "\n".join(source.lines[1:stop]))
    if mapping is None:
        return Front()
    front: dict[str, object] = {}
    for key, value in mapping.items():
        wrong = _wrong(key, value)
        if wrong:
            source.report(_line_of(source, key, stop), wrong)
        elif key == "from_plan":
            front["from_plan"] = tuple(cast("dict[str, str]", value).items())
        else:
            front[str(key)] = value
    return cast("Front", cast("object", front))  # each value was checked above


def preload() -> None:
    """Load what a front matter needs, for a process whose forks are to find it loaded."""
    importlib.import_module("yaml")


def _load(source: Source, text: str) -> dict[object, object] | None:
    import yaml  # noqa: PLC0415  # 60 ms that a text without front matter does not pay

    if len(text) > _MAX_BYTES:
        source.report(0, f"the front matter is longer than {_MAX_BYTES} bytes; shorten it")
        return None
    try:
        for line, problem in _knots(text):
            source.report(line, problem)
            return None
        value: object = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        source.report(line, f"the front matter is no YAML ({error.problem}); write `key: value`")
        return None
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        what = str(error).splitlines()[0] if str(error) else type(error).__name__
        source.report(0, f"the front matter is no YAML ({what}); write `key: value`")
        return None
    if value is None:
        return {}
    if not isinstance(value, dict):
        source.report(0, "the front matter is no mapping; write `key: value` lines")
        return None
    return cast("dict[object, object]", value)


def _knots(text: str) -> Iterator[tuple[int, str]]:
    """Find what would make more of the text than stands in it: references, and depth.

    Events are read without building anything, so a bomb of references is told before it goes off.
    """
    import yaml  # noqa: PLC0415

    read = cast("Callable[..., Iterator[Any]]", yaml.parse)  # pyright: ignore[reportUnknownMemberType]  # untyped
    depth = 0
    for event in read(text, Loader=yaml.SafeLoader):
        name, line = type(event).__name__, int(event.start_mark.line) + 1
        if getattr(event, "anchor", None) is not None:
            yield line, "an anchor or a reference (`&` or `*`); write the value out"
        if name.endswith("EndEvent"):
            depth -= 1
        elif name in {"MappingStartEvent", "SequenceStartEvent"}:
            depth += 1
            if depth > _DEPTH:
                yield line, "values within values; write flat `key: value` lines"


def _wrong(key: object, value: object) -> str | None:
    if key in _TEXT_KEYS:
        return None if isinstance(value, str) else f"`{key}` must be text; put it in quotes"
    if key in _NUMBER_KEYS:
        least = 0 if key == "number" else 1
        is_fit = (
            isinstance(value, int) and not isinstance(value, bool) and least <= value <= _LARGEST
        )
        return None if is_fit else f"`{key}` must be a whole number, {least} to {_LARGEST}"
    if key == "from_plan":
        is_texts = isinstance(value, dict) and all(
            isinstance(part, str)
            for pair in cast("dict[object, object]", value).items()
            for part in pair
        )
        return None if is_texts else "`from_plan` must map texts to texts; remove it"
    known = (*_NUMBER_KEYS, *_TEXT_KEYS)
    return f"`{key}` is no key of a spec; nearest: {nearest(str(key), known)}"


def _line_of(source: Source, key: object, stop: int) -> int:
    starts = (n for n in range(1, stop) if source.lines[n].lstrip("'\"").startswith(str(key)))
    return next(starts, 0)
