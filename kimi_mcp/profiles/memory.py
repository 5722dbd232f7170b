"""What Kimi's configuration was under the profiles that were left, so that going back is exact.

Kept is no copy of the file, which holds keys, but for each profile the lines in which the file as
we left it differs from what it was then. It counts only as long as the file is byte for byte as we
left it: what a person has edited since is never undone.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any, TypeAlias, cast

#: From line, to line (of the file as it is), and the lines that stood there.
Hunk: TypeAlias = tuple[int, int, list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What is remembered of one configuration file."""

    #: SHA-256 of the file as the last switch left it.
    left_as: str = ""
    #: By the name of a profile.
    before: Mapping[str, tuple[Hunk, ...]] = field(default_factory=dict[str, tuple[Hunk, ...]])

    def texts(self, present: str) -> dict[str, str]:
        """Return what the file was under each profile; nothing when it was edited since."""
        if _hash(present) != self.left_as:
            return {}
        return {name: _applied(present, hunks) for name, hunks in self.before.items()}

    @classmethod
    def of(cls, texts: Mapping[str, str], *, left_as: str) -> "Memory":
        """Remember *texts*, by profile, of a file that is now *left_as*."""
        return cls(
            left_as=_hash(left_as),
            before={name: _hunks(left_as, text) for name, text in texts.items()},
        )

    def to_json(self) -> str:
        """Return the text that `from_json` reads."""
        return json.dumps({"left_as": self.left_as, "before": self.before})

    @classmethod
    def from_json(cls, text: str) -> "Memory":
        """Read what `to_json` wrote; anything else is no memory."""
        try:
            values: Any = json.loads(text)
            before = cast("Mapping[str, list[list[Any]]]", values["before"])
            return cls(
                left_as=str(values["left_as"]),
                before={
                    name: tuple((int(start), int(end), list(lines)) for start, end, lines in hunks)
                    for name, hunks in before.items()
                },
            )
        except (ValueError, LookupError, TypeError, AttributeError):
            return cls()


def _hunks(present: str, text: str) -> tuple[Hunk, ...]:
    now, then = present.splitlines(keepends=True), text.splitlines(keepends=True)
    compared = SequenceMatcher(None, now, then, autojunk=False)
    return tuple(
        (start, end, then[first:last])
        for what, start, end, first, last in compared.get_opcodes()
        if what != "equal"
    )


def _applied(present: str, hunks: tuple[Hunk, ...]) -> str:
    lines = present.splitlines(keepends=True)
    for start, end, then in reversed(hunks):
        lines[start:end] = then
    return "".join(lines)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
