"""Our file as it was, our file as it is to be, and the person's: what becomes of it. Pure."""

from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple


class Merged(NamedTuple):
    """What the file is to hold, and what to tell the person of it, if anything."""

    text: str
    told: str | None = None


def merge(old: str | None, new: str, theirs: str | None) -> Merged:
    """Bring *new* in, and keep whatever the person changed.

    Args:
        old: what we put there last; None: nothing.
        new: what we would put there now.
        theirs: what is there now; None: nothing.
    """
    if theirs is None or theirs in {old, new}:
        return Merged(new)
    if old is None:
        return Merged(theirs, "was there before and is kept as it is; ours was not written")
    if old == new:
        return Merged(theirs, "was edited and is kept as it is")
    both = _both(*(text.splitlines(keepends=True) for text in (old, new, theirs)))
    if both is None:
        return Merged(theirs, "was edited where it has a new version, and is kept as it is")
    return Merged("".join(both), "was edited; its new version was brought in around the edits")


def _both(old: Sequence[str], new: Sequence[str], theirs: Sequence[str]) -> list[str] | None:
    """Apply what each side changed; None where both changed the same lines."""
    changes = sorted((*_changes(old, new), *_changes(old, theirs)))
    merged: list[str] = []
    at = 0
    last: tuple[int, int, list[str]] | None = None
    for start, stop, lines in changes:
        if last == (start, stop, lines):
            continue  # both did the same
        if last is not None and start <= last[1]:
            return None
        merged += [*old[at:start], *lines]
        at, last = stop, (start, stop, lines)
    return [*merged, *old[at:]]


def _changes(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int, list[str]]]:
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return [
        (start, stop, list(new[begin:end]))
        for tag, start, stop, begin, end in matcher.get_opcodes()
        if tag != "equal"
    ]
