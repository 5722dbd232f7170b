"""What one line of a plan announces: files, commands, checks, dependencies. Pure.

A line announces by a label before a colon (`Files:`, `Fichiers à créer :`), or as a heading or
bold line that is nothing but a label. The words are those of `words`.
"""

# ruff: noqa: RUF001  # plans are written with these signs

import re
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from kimi_mcp.spec.entries import Operation
from kimi_mcp.spec.plans import words


class Kind(StrEnum):
    """What a label announces."""

    FILES = "files"
    VERB = "verb"
    TEST = "test"
    RUN = "run"
    CHECKS = "checks"
    EXPECTED = "expected"
    DEPENDS = "depends"
    PRODUCES = "produces"
    CONSUMES = "consumes"
    BUDGET = "budget"
    OTHER = "other"


class Said(NamedTuple):
    """A label, the operation that it names, and what stands after the colon."""

    kind: Kind
    operation: Operation | None
    rest: str


_LEAD = re.compile(
    r"(?:\s*[-*+]\s+)?[\s>*_#]*(?:\[[ xX]\]\s*)?(?:[^\w\s`\[(<./~$@{\"'“「-]+\s*)*[*_]*"
)
_STEP = re.compile(
    rf"(?:{words.pattern(words.STEP, whole=True)}\s*\d+[\w.]*\s*[:：.—\u2013-]\s*)",
    re.IGNORECASE,
)
_LABEL = re.compile(r"(?P<label>[^:：`|]{1,70}?)\s*[:：](?!//|:|\d)[*_]*\s*(?P<rest>.*)")
_BOLD_LABEL = re.compile(r"\*\*(?P<label>[^*`]{1,70})\*\*\s*(?P<rest>.*)")
_BRACKETS = re.compile(r"[(（].*?[)）]")
_DIGIT = re.compile(r"\d")
_MOST_WORDS = 6
VERBS: tuple[tuple[Operation, re.Pattern[str]], ...] = (
    (Operation.MOVE, words.any_of(words.MOVE)),
    (Operation.DELETE, words.any_of(words.DELETE)),
    (Operation.CREATE, words.any_of(words.CREATE)),
    (Operation.MODIFY, words.any_of(words.MODIFY)),
    (Operation.READ, words.any_of(words.READ)),
)
_FILES = words.any_of(words.FILE, whole=True)
_STARTS = [
    (Kind.EXPECTED, words.any_of(words.EXPECT)),
    (Kind.DEPENDS, words.any_of(words.DEPENDS)),
    (Kind.PRODUCES, words.any_of(words.PRODUCES)),
    (Kind.CONSUMES, words.any_of(words.CONSUMES)),
    (Kind.BUDGET, words.any_of(words.BUDGET)),
    (Kind.RUN, words.any_of(words.RUN)),
    (Kind.TEST, words.any_of(words.TEST, whole=True)),
    (Kind.CHECKS, words.any_of(words.VERIFY)),
]


def read(line: str, *, is_bare: bool = False) -> Said | None:
    """Read the label of *line*; *is_bare* lines, headings, are labels without a colon."""
    if not (is_bare or ":" in line or "：" in line or "**" in line):
        return None
    text = _STEP.sub("", line[_lead(line) :], count=1)[:600]
    found = _LABEL.match(text)
    if not found:
        strong = _BOLD_LABEL.match(line.strip())
        if strong and not strong["rest"].strip(" :：."):
            return _kind(_STEP.sub("", strong["label"], count=1), "", is_bare=True)
        return _kind(text.strip(" *_#:："), "", is_bare=True) if is_bare else None
    return _kind(found["label"].strip(" *_"), found["rest"].strip(), is_bare=is_bare)


def is_step(line: str) -> bool:
    """Tell whether a line begins a numbered step, which ends what stood before it."""
    return bool(_DIGIT.search(line) and _STEP.match(line, _lead(line)))


def operations(text: str) -> set[Operation]:
    """Give every operation that *text* names."""
    return {operation for operation, verb in VERBS if verb.search(text)}


def _lead(line: str) -> int:
    found = _LEAD.match(line)
    return found.end() if found else 0


def _kind(label: str, rest: str, *, is_bare: bool) -> Said | None:
    meaning = _meaning(label, is_bare=is_bare)
    return None if meaning is None else Said(*meaning, rest)


@lru_cache(maxsize=4096)  # a plan says the same few labels again and again
def _meaning(label: str, *, is_bare: bool) -> tuple[Kind, Operation | None] | None:
    plain = _BRACKETS.sub("", label).strip() or label
    if len(plain.split()) > _MOST_WORDS:
        return None
    for kind, start in _STARTS[:-1]:
        if start.match(plain):
            is_loose = is_bare and kind in {Kind.DEPENDS, Kind.EXPECTED}
            return None if is_loose else (kind, None)
    if _FILES.search(plain):
        return Kind.FILES, _only(operations(label))
    if _STARTS[-1][1].match(plain):
        return Kind.CHECKS, None
    if any(verb.match(plain) for _, verb in VERBS) and not (is_bare and len(plain.split()) > 2):  # noqa: PLR2004
        return Kind.VERB, _only(operations(label))
    return Kind.OTHER, None


def _only(named: set[Operation]) -> Operation | None:
    return named.pop() if len(named) == 1 else None
