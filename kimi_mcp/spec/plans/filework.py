"""Which files a line, a table row or a listing of a plan says will be changed, and how. Pure.

Only paths that stand in the text are given. A path in running prose counts where a verb governs it;
where a preposition stands between them (`add a field to x.py`), the operation is left open, for
then only the repository can say whether the file is there.
"""

# ruff: noqa: RUF001  # plans are written with these signs

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from kimi_mcp.spec.entries import Operation
from kimi_mcp.spec.mentions import SPAN, path_in
from kimi_mcp.spec.plans import words
from kimi_mcp.spec.plans.beside import beside, cell, has_object, text_beside
from kimi_mcp.spec.plans.draft import DraftFile
from kimi_mcp.spec.plans.lines import VERBS, operations

_ARROW = re.compile(
    r"[\s*_]*(?:->|→|=>|⇒|\bto\b|\bnach\b|\bvers\b|\ba\b|\bpara\b|\bв\b|到|为|為|へ|に)[\s*_]*"
)
_PREPOSITION = words.any_of(words.PREPOSITION, whole=True)
_NOT = words.any_of(words.NOT, whole=True)
_CLAUSE = re.compile(r"[.;。；!?！？]\s|[;；。]")
_REACH = 45
_AFTER_REACH = 16
_WITHIN = re.compile(r"\s*(?:[中里内裡裏]|的|の|に|へ|から|에)")
_UNPARTED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_STATUS_LINE = re.compile(r"\s*([AMDR+\-~])\d*\s+(\S+)(?:\s+(?:->\s*)?(\S+))?\s*(?:#.*|[(（].*)?")
_STATUS = {
    "A": Operation.CREATE,
    "+": Operation.CREATE,
    "M": Operation.MODIFY,
    "~": Operation.MODIFY,
    "D": Operation.DELETE,
    "-": Operation.DELETE,
    "R": Operation.MOVE,
}
_DIFF = re.compile(r"^--- (?:a/)?(\S+).*\n\+\+\+ (?:b/)?(\S+)", re.MULTILINE)
_RENAME = re.compile(r"^rename from (\S+)\nrename to (\S+)", re.MULTILINE)
_FIRST_LINE = re.compile(r"\s*(?://|#|--|;|/\*|<!--)\s*(\S+)\s*(?:\*/|-->|[(（].*)?\s*")
_FILE = re.compile(r"(?:^|/)(?:[^/]*\.[^/.]{1,14}|\.[^/]+|[A-Z][a-z]+file)(?::[\d,-]+)?$")
_ROUTE = re.compile(r"/[^.]*")
_NULL = "/dev/null"


class Spot(NamedTuple):
    """A path in a line and where it stands."""

    start: int
    stop: int
    path: str


@lru_cache(maxsize=1024)  # a line is looked at from several sides, one after the other
def spots(line: str) -> tuple[Spot, ...]:
    """Find the backticked or linked paths of a line; of a link its text where that is a path."""
    if "`" not in line and "](" not in line:
        return ()
    found: list[Spot] = []
    for m in SPAN.finditer(line):
        path = path_in(m[2]) if m[2] else _linked(m[0], m[3])
        if path and not _ROUTE.fullmatch(path):
            found.append(Spot(m.start(), m.end(), path))
    return tuple(found)


def _linked(link: str, target: str) -> str | None:
    text = link[1 : link.index("](")].strip("`* ")
    bare = target.split("#", 1)[0]
    return path_in(text) or (None if bare.startswith("..") else path_in(bare))


def named(line: str) -> list[Spot]:
    """Find the paths that are files beyond doubt, even in prose: `try/catch` is none."""
    return [spot for spot in spots(line) if _FILE.search(spot.path) and spot.path[0] not in "/~"]


def listed(line: str, operation: Operation | None) -> list[DraftFile]:
    """Read a line that is known to list files."""
    found = list(spots(line))
    if not found:
        head = line.lstrip(" *_-")
        for word in head.split()[:3]:
            path = path_in(word.strip("*_,;()（）"))
            if path and _FILE.search(path):
                at = line.index(word)
                found = [Spot(at, at + len(word), path)]
                break
            if not any(verb.fullmatch(word.strip(":*_")) for _, verb in VERBS):
                break
    return list(_with_operations(line, found, operation))


def governed(line: str) -> list[DraftFile]:
    """Read a line of prose: the paths that a verb governs."""
    return list(_with_operations(line, named(line), None, is_prose=True))


def leads(line: str) -> list[DraftFile]:
    """Read a list item that begins with a path."""
    found = named(line)
    if not found or line[: found[0].start].strip("*_ [x]"):
        return []
    said = operations(text_beside(line, found[0].stop))
    return [] if said == {Operation.READ} else list(_with_operations(line, found[:1], None))


def row(cells: Sequence[str], operation: Operation | None) -> list[DraftFile]:
    """Read a table row that has a path in one cell and a word for what happens in another."""
    paths = [(at, _leading(cell) or _bare(cell)) for at, cell in enumerate(cells)]
    column = next((at for at, found in paths if found), None)
    if column is None:
        return []
    others = [cell for at, cell in enumerate(cells) if at != column]
    said = _operation_of(others[-1:]) or _operation_of(others)
    own = beside(cells[column], paths[column][1][-1].stop)
    return [
        DraftFile((own and own.on_file) or said or operation, spot.path)
        for spot in paths[column][1]
    ]


def listing(text: str) -> list[DraftFile]:
    """Read a fence that is a diff, or lists paths with signs: `A x`, `M y`, `+ z`."""
    files = [DraftFile(Operation.MOVE, old, new) for old, new in _RENAME.findall(text)]
    for old, new in _DIFF.findall(text):
        path = new if old == _NULL else old
        operation = (
            Operation.CREATE
            if old == _NULL
            else Operation.DELETE
            if new == _NULL
            else Operation.MODIFY
        )
        if path_in(path) and path not in {f.path for f in files} | {f.target for f in files}:
            files.append(DraftFile(operation, path))
    if files:
        return files
    lines = [line for line in text.split("\n") if line.strip()]
    found = [_signed(line) for line in lines]
    return [file for file in found if file] if lines and all(found) else []


def headed(text: str) -> DraftFile | None:
    """Read the path that a block of code names in a comment on its first line."""
    found = _FIRST_LINE.fullmatch(text.split("\n", 1)[0])
    path = path_in(found[1]) if found else None
    return DraftFile(None, path) if path and "." in path else None


def _signed(line: str) -> DraftFile | None:
    found = _STATUS_LINE.fullmatch(line)
    path = path_in(found[2]) if found else None
    if not found or not path:
        return None
    operation = _STATUS[found[1]]
    target = path_in(found[3]) if operation is Operation.MOVE else None
    return (
        None if operation is Operation.MOVE and not target else DraftFile(operation, path, target)
    )


def _with_operations(
    line: str, found: Sequence[Spot], operation: Operation | None, *, is_prose: bool = False
) -> Iterator[DraftFile]:
    last = 0
    said: Operation | None = operation
    at = 0
    while at < len(found):
        spot = found[at]
        before = _CLAUSE.split(line[last : spot.start])[-1]
        after = line[spot.stop : found[at + 1].start] if at + 1 < len(found) else line[spot.stop :]
        named, is_governed = _governing(before, after)
        is_first = last == 0
        last = spot.stop
        at += 1
        if _NOT.search(before) or (_UNPARTED.search(after) and _NOT.search(after[:_AFTER_REACH])):
            said = operation
            continue
        if is_governed:
            said = named
        elif is_prose and (is_first or before.strip(" ,*_&+/、和与und") not in _JOINTS):
            continue
        chosen = named or said or operation
        if chosen is Operation.MOVE:
            target, used = _target(line, spot, found[at:])
            at += used
            if target:
                last = found[at - 1].stop if used else last
                yield DraftFile(chosen, spot.path, target)
            continue
        yield DraftFile(chosen, spot.path)


_JOINTS = {"", "and", "or", "et", "und", "y", "e", "и", "và", "和", "与", "と", "및", "then"}


def _governing(before: str, after: str) -> tuple[Operation | None, bool]:
    """Give the operation that governs a path, and whether any verb does."""
    near = before[-_REACH:] if len(before) > _REACH else before
    verbs = [
        (match.start(), match.end(), operation)
        for operation, verb in VERBS
        for match in verb.finditer(near)
    ]
    aside = beside(after)
    if aside and aside.is_all:
        return aside.operation, True
    if verbs:
        _, stop, operation = max(verbs)
        if aside and "," in near[stop:]:  # that verb spoke of what stands before
            return aside.on_file, True
        if _PREPOSITION.search(near, stop) and operation is not Operation.READ:
            return None, True
        return operation, True
    if aside:
        return aside.on_file, True
    following = next(iter(after.split(maxsplit=1)), "").strip(".,;")
    named = operations(following) - {Operation.READ}
    if len(named) == 1 and not after[:1].strip() and not _WITHIN.match(after):
        return named.pop(), True
    if _UNPARTED.search(after[:_AFTER_REACH]):
        reach = after[:_AFTER_REACH]
        found = [(m.start(), m.end(), op) for op, verb in VERBS if (m := verb.search(reach))]
        if found:
            _, stop, operation = min(found)
            is_within = _WITHIN.match(after) or has_object(after[stop:])
            return (None if is_within and operation is not Operation.READ else operation), True
    return None, False


def _target(line: str, spot: Spot, later: Sequence[Spot]) -> tuple[str | None, int]:
    arrow = _ARROW.match(line, spot.stop)
    if not arrow:
        return None, 0
    if later and later[0].start == arrow.end():
        return later[0].path, 1
    return path_in(line[arrow.end() :].split(" ", 1)[0].rstrip(".,;")), 0


def _leading(cell: str) -> list[Spot]:
    """Give the paths of a cell that begins with one."""
    found = list(spots(cell))
    return found if found and not cell[: found[0].start].strip("*_ ") else []


def _bare(cell: str) -> list[Spot]:
    path = path_in(cell.strip(" *_"))
    return [Spot(0, len(cell), path)] if path else []


def _operation_of(cells: Sequence[str]) -> Operation | None:
    return next((said for text in cells if (aside := cell(text)) and (said := aside.on_file)), None)
