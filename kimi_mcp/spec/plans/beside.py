"""What is said of a file beside its path: `path` (new), `path` — delete, or a table's cell. Pure.

A word for an operation speaks of the file only where it stands alone: in `path` (delete) the file
goes, in `path`: delete the dead branch something within it does. Of the latter only that the file
is worked on is known, and whether it exists yet the repository can say.
"""

# ruff: noqa: RUF001  # plans are written with these signs

import re
from typing import NamedTuple

from kimi_mcp.spec.entries import Operation
from kimi_mcp.spec.plans import words
from kimi_mcp.spec.plans.lines import VERBS, operations


class Aside(NamedTuple):
    """The operation that a text names, if one, and whether that is all that it says."""

    operation: Operation | None
    is_all: bool

    @property
    def on_file(self) -> Operation | None:
        """What happens to the file; left open where something happens within it."""
        is_certain = self.is_all or self.operation is Operation.MODIFY
        return self.operation if is_certain else None


_BESIDE = re.compile(r"[\s*_]*[(（—\u2013:：\-\[,，]+\s*(.{1,40})")
_UNPARTED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_UNPARTED_REACH = 6
_WHOLE = "it this entirely completely wholly because since once when as after if"
_FILE = words.any_of(words.FILE, _WHOLE, whole=True)
_ARTICLE = re.compile(r"\w{1,3}\s+")
_OBJECT = re.compile(r"\s*[\w`\"'\u201c「]")
_NO_OBJECT = re.compile(r"[\u3040-\u309f\uac00-\ud7af并並和后後及]")


def beside(text: str, start: int = 0) -> Aside | None:
    """Read what stands beside a path that ends at *start*."""
    said = text_beside(text, start)
    first, _, rest = said.partition(" ")
    named = operations(first.strip("()（）*_,.;:")) - {Operation.READ}
    if _UNPARTED.search(first if named else said):
        return _unparted(said)
    if len(named) != 1:
        return None
    return Aside(named.pop(), _ends(first) or not _has_object(rest))


def text_beside(text: str, start: int) -> str:
    """Give what stands beside a path that ends at *start*."""
    found = _BESIDE.match(text, start)
    return found[1] if found else ""


def cell(text: str) -> Aside | None:
    """Read the cell of a table; a second word may name the operation, as in `To delete`."""
    first = text.split()[:2]
    named = operations(" ".join(first))
    if len(named) != 1:
        return None
    operation = named.pop()
    if _UNPARTED.search(text):
        aside = _unparted(text.strip(" *_"))
        return Aside(operation, is_all=aside is not None and aside.is_all)
    at = next(at for at, word in enumerate(first) if operation in operations(word))
    rest = text.split(maxsplit=at + 1)[at + 1 :]
    return Aside(operation, _ends(first[at]) or not _has_object("".join(rest)))


def has_object(text: str) -> bool:
    """Tell whether *text*, which follows a verb, goes on with what it does something to."""
    return bool(_OBJECT.match(text)) and not _NO_OBJECT.match(text) and not _FILE.match(text)


def _ends(word: str) -> bool:
    """Tell whether a clause ends with *word*."""
    return not word.rstrip("*_")[-1:].isalnum()


def _has_object(rest: str) -> bool:
    bare = rest.lstrip(" *_")
    article = _ARTICLE.match(bare)
    return bool(_OBJECT.match(bare)) and not any(
        _FILE.match(bare, at) for at in {0, article.end() if article else 0}
    )


def _unparted(text: str) -> Aside | None:
    named = operations(text[:_UNPARTED_REACH]) - {Operation.READ}
    if len(named) != 1:
        return None
    operation = named.pop()
    verb = next(verb for one, verb in VERBS if one is operation)
    led, rest = verb.split(text, maxsplit=1)
    is_all = not has_object(rest) and (not led.strip() or bool(_FILE.fullmatch(led.strip())))
    return Aside(operation, is_all)
