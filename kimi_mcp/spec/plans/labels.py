"""The numbered labels that plans put before their parts: `Task 3:`, `第二阶段`, `B2 —`, `4)`. Pure.

A label is read by its shape, in any language; the word decides only how much it weighs. Status
signs, check boxes and emphasis before it are skipped.
"""

# ruff: noqa: RUF001  # plans are written with these signs

import re
import unicodedata
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from kimi_mcp.spec.plans import words


class Rank(IntEnum):
    """How surely a label names a task, the surest last."""

    NEVER = 0
    OTHER = 1
    PLAIN = 2
    ID = 3
    UNIT = 4
    BARRIER = 5
    TASK = 6


class Label(NamedTuple):
    """A label and the text after it; *word* is empty where a bare number stands."""

    rank: Rank
    word: str
    number: str
    title: str


_LEAD = r"(?:[^\w\[(#①-⑳]|_|\[[ xX]?\]|(?<!\w)#(?!\d))*"
_CJK = "一二三四五六七八九十"
_NUMBER = (
    r"(?:\d{1,3}(?:\.\d{1,3}){0,3}[a-z]?|[A-Z]{1,3}[.\-]?\d{1,3}(?:\.\d{1,3})?|[A-Z]"
    rf"|[IVX]{{1,4}}|[{_CJK}]{{1,3}})"
)
_MARKS = r"[*_~`\])）】]*"
_END = rf"{_MARKS}(?:\s*[:：.、)）\]|·]+{_MARKS}|\s*[-\u2013—]+(?=\s|\w)|(?=\s)|(?=[（(])|$)\s*"
_KNOWN = "|".join(
    words.pattern(getattr(words, name), whole=True) for name in ("TASK", "BARRIER", "UNIT", "NEVER")
)
_WORD_FIRST = re.compile(
    rf"{_LEAD}(?P<word>{_KNOWN}|[^\W\d_]{{3,20}})(?P<gap>[\s\-_]*(?:[#№]|n[°º.]|no\.)?\s*)"
    rf"(?P<number>{_NUMBER})(?!\w){_END}(?P<title>.*)",
    re.IGNORECASE,
)
_CJK_FIRST = re.compile(
    rf"{_LEAD}第\s*(?P<number>[{_CJK}]{{1,3}}|\d{{1,3}})\s*(?P<word>{_KNOWN}|\w){_END}(?P<title>.*)"
)
_NUMBER_FIRST = re.compile(
    rf"{_LEAD}(?P<number>\d{{1,3}})\s*(?:\.|-?[а-яё]{{1,2}}|[ªºэ]|er|ère|e|ème|th|st|nd|rd)?\s*"
    rf"(?P<word>{_KNOWN})\s*(?:[:：.]|[-\u2013—]|$)\s*(?P<title>.*)",
    re.IGNORECASE,
)
_PLAIN = re.compile(
    rf"{_LEAD}[(（\[]?(?P<number>\d{{1,3}}(?:\.\d{{1,3}}){{0,3}}[a-z]?)"
    rf"(?:[.)）\]、:：]+{_MARKS}|\s*[-\u2013—]\s|(?=\s))\s*(?P<title>\S.*)"
)
_CJK_PLAIN = re.compile(rf"{_LEAD}[(（]?(?P<number>[{_CJK}]{{1,3}})[、.)）:：]\s*(?P<title>\S.*)")
_ID = re.compile(
    rf"{_LEAD}\[?(?P<number>[A-Z]{{1,3}}-?\d{{1,3}}(?:\.\d{{1,3}})?|[A-Z]{{2,}}(?:-[A-Z]+)*-\d{{1,4}}|[A-Z](?=[.):：]|\s[—\u2013-]\s))"
    rf"{_END}(?P<title>\S.*)"
)
_CIRCLED = re.compile(rf"{_LEAD}(?P<number>[①-⑳])\s*(?P<title>.*)")
_RANKS = [
    (rank, re.compile(words.pattern(getattr(words, rank.name), whole=True), re.IGNORECASE))
    for rank in (Rank.TASK, Rank.BARRIER, Rank.UNIT, Rank.NEVER)
]


@lru_cache(maxsize=8192)
def read(text: str) -> Label | None:
    """Read the label that *text*, a heading or a list item, begins with."""
    line = text.split("\n", 1)[0][:400].replace("\u20e3", ".").replace("\ufe0f", "")
    for shape in (_WORD_FIRST, _CJK_FIRST, _NUMBER_FIRST):
        found = shape.match(line)
        if found:
            label = _worded(found)
            if label:
                return label
    found = _CIRCLED.match(line)
    if found:
        number = str(int(unicodedata.numeric(found["number"])))
        return Label(Rank.PLAIN, "", number, clean(found["title"]))
    for shape, rank in ((_PLAIN, Rank.PLAIN), (_CJK_PLAIN, Rank.PLAIN), (_ID, Rank.ID)):
        found = shape.match(line)
        if found:
            return Label(rank, "", found["number"], clean(found["title"]))
    return None


def clean(text: str) -> str:
    """Take emphasis, code marks and edges off a title."""
    text = re.sub(r"\*\*|__|~~|(?<!\w)\*|\*(?!\w)", "", text.split("\n", 1)[0])
    return text.strip(" \t:：-–—·#").strip()


def _worded(found: re.Match[str]) -> Label | None:
    word, number = found["word"], found["number"]
    rank = rank_of(word)
    is_spaced = bool(found.groupdict().get("gap", " "))
    is_word_too = number.isalpha() and number.isascii() and not number.isupper()
    if is_word_too or (rank is Rank.OTHER and not (is_spaced and number[0].isdigit())):
        return None
    if not is_spaced and number[0].isascii() and number[0].isalpha():
        return None
    return Label(rank, word.casefold(), number, clean(found["title"]))


def rank_of(word: str) -> Rank:
    """Rank a label's word, as `Task` or `Phase`, by how surely it names a task."""
    return next((rank for rank, known in _RANKS if known.fullmatch(word)), Rank.OTHER)
