"""Which task of a plan comes after which: said in words, by phases, or by what one makes. Pure."""

# ruff: noqa: RUF001  # plans are written with these signs

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from kimi_mcp.spec.plans import words

_WORD = "|".join(
    words.pattern(part, whole=True) for part in (words.TASK, words.BARRIER, words.UNIT, "w t p")
)
_NUMBER = (
    r"(?:[A-Za-z]{1,3}[.\-]?)?\d{1,3}(?:\.\d{1,3}){0,3}[a-z]?"
    r"|(?<![A-Za-z])[A-Z](?![A-Za-z])|[一二三四五六七八九十]{1,3}"
)
_MORE = r"(?:\s*(?:,|、|，|/|&|\+|;|and|und|et|y|e|и|và|和|与|及|と|및)\s*)"
# In `任务1后` a word goes on after the number, and that is no part of it.
_HAN = "[一二三四五六七八九十]"
_ENDS = rf"(?:(?<={_HAN})(?!\w)|(?<!{_HAN})(?![A-Za-z0-9_]))"
_NAMED = re.compile(
    rf"(?P<word>{_WORD})\s*[#№]?\s*(?P<first>{_NUMBER}){_ENDS}"
    rf"(?P<more>(?:{_MORE}(?:{_WORD})?\s*[#№]?\s*(?:{_NUMBER}){_ENDS})*)"
    rf"(?:\s*(?:[-\u2013—~]|to|bis|à|a|до|đến|至|到)\s*(?:{_WORD})?\s*(?P<last>\d{{1,3}}){_ENDS})?",
    re.IGNORECASE,
)
_CJK_NAMED = re.compile(
    r"第\s*([一二三四五六七八九十\d]{1,3})\s*(?:个)?(?:步|阶段|階段|任务|部分|段階)"
)
_BARE = re.compile(rf"(?<![\w.])#?({_NUMBER})(?![\w.]*\w)")
_FURTHER = re.compile(rf"(?<![A-Za-z0-9.])#?({_NUMBER})(?![A-Za-z0-9])")
_AFTER = re.compile(
    words.any_of(words.DEPENDS).pattern
    + r"|builds?\s+on|once\b|waits?\s+for|basiert\s+auf|baut\s+auf|s'appuie\s+sur"
    r"|基于|(?:之|完成)?后(?=[，,\s：:]|$)|以降|後に|の後|完了後|完了したら|終わったら|이후|후에",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[.;。；!?！？](?:\s|$)|[;；。]|\n")
_POST = re.compile(r"后(?=[，,\s：:]|$)|の後|後に|以降|이후|후에|が完了|完了後|の完了|終わったら")
_NONE = re.compile(
    r"\s*[*_`(]*(?:none|nothing|no\b|keine|aucune?|ningun[oa]|nenhum[a]?|нет|không|无|無|なし|없음|-|—|–|n/a)",
    re.IGNORECASE,
)
_ANY_WORD = ("task", "step", "phase", "任务", "步骤")
_HAS_NUMBER = re.compile(r"\d|[一二三四五六七八九十]|\b[A-Z]\b")
_ALIKE = 4  # letters that inflections of a word share
PARALLEL = words.any_of(words.PARALLEL)


class Known(NamedTuple):
    """The tasks by the word and number of their labels; the word is empty for a bare number."""

    words: tuple[str, ...]
    tasks: Mapping[tuple[str, str], int]


def known_as(entries: Sequence[tuple[str, str, int]]) -> Known:
    """Give the names of parts, each a word, a number, and the task; the first of two alike wins.

    Parts with bare numbers may be called tasks, steps or phases.
    """
    known: dict[tuple[str, str], int] = {}
    for word, number, task in entries:
        if number:
            for name in [word, ""] if word else ["", *_ANY_WORD]:
                known.setdefault((name.casefold(), number.lower()), task)
    return Known(tuple(dict.fromkeys(name for name, _ in known)), known)


def named(text: str, known: Known, *, is_listed: bool = False) -> list[int]:
    """Find the tasks that *text* names; *is_listed* text may name them by bare numbers."""
    found: list[int] = []
    for match in _NAMED.finditer(text):
        numbers = [match["first"], *_FURTHER.findall(match["more"])]
        if match["last"] and match["first"].isdecimal():
            numbers += map(str, range(int(match["first"]) + 1, int(match["last"]) + 1))
        for number in numbers:
            found += _lookup(known, match["word"], number)
    for number in _CJK_NAMED.findall(text):
        found += _lookup(known, "", number)
    if not found and is_listed and not _NONE.match(text):
        for number in _BARE.findall(text.split("(", 1)[0]):
            found += _lookup(known, "", number)
    elif not found:
        ids = re.findall(r"(?<!\w)[A-Z]{1,3}-?\d{1,3}(?:\.\d+)?(?!\w)", text)
        for number in ids:
            found += _lookup(known, "", number)
    return list(dict.fromkeys(found))


def says_none(text: str) -> bool:
    """Tell whether *text* says that there is nothing to wait for."""
    return bool(_NONE.match(text))


def clauses(line: str, known: Known) -> list[int]:
    """Find what a line of prose says comes first: `after task 2`, `depends on Step 1`."""
    found: list[int] = []
    if not _HAS_NUMBER.search(line):
        return found
    for clause in _CLAUSE.split(line):
        match = _AFTER.search(clause)
        if match:
            found += named(clause[match.end() :], known)
            if _POST.search(clause):
                found += named(clause[: match.end()], known)
    return found


def statements(line: str, known: Known) -> list[tuple[int, list[int]]]:
    """Read a line of an order section: `Step 5 depends on Steps 1, 2`, `1 → 2 → 3`."""
    match = _AFTER.search(line)
    if match:
        subjects = named(line[: match.start()], known)
        objects = named(line[match.end() :], known)
        return [(subject, [o for o in objects if o != subject]) for subject in subjects if objects]
    parts = re.split(r"\s*(?:→|-+>|=>|⇒)\s*", line)
    if len(parts) > 1:
        groups = [named(part, known) for part in parts]
        pairs = itertools.pairwise(groups)
        return [(one, before) for before, after in pairs for one in after if before]
    return []


def phases(barriers: Sequence[int | None], parallel: Iterable[int] = ()) -> dict[int, list[int]]:
    """Give for each task, by place, the places of the phase before its own.

    *barriers* says for each task in which phase it stands, None where in none; *parallel* phases
    wait for nothing.
    """
    free = set(parallel)
    order = list(dict.fromkeys(phase for phase in barriers if phase is not None))
    before = {phase: order[at - 1] for at, phase in enumerate(order) if at and phase not in free}
    return {
        place: [p for p, other in enumerate(barriers) if other == before[phase]]
        for place, phase in enumerate(barriers)
        if phase is not None and phase in before
    }


def _lookup(known: Known, word: str, number: str) -> list[int]:
    """Find a part; a word must be that of the part, in whatever inflection."""
    number, word = number.lower(), " ".join(word.casefold().split())
    for name in known.words if word else ("",):
        if (name == word or (name and _is_like(word, name))) and (name, number) in known.tasks:
            return [known.tasks[name, number]]
    return []


def _is_like(one: str, other: str) -> bool:
    least = min(len(one), len(other), _ALIKE)
    return one[:least] == other[:least]
