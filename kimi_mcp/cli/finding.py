"""One link of the chain as doctor tells it: state, evidence, remedy."""

import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeAlias

from kimi_mcp.errors import KimiMcpError

_NAME_COLUMNS = 14
_LAST_SENTENCE = re.compile(r"^(.*?[^.][.;]) (?=[A-Z])(.*)$", re.DOTALL)


class State(StrEnum):
    """Good, worth knowing, or in the way of work."""

    OK = "ok"
    NOTE = "note"
    BAD = "BAD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found of one link."""

    name: str
    state: State
    evidence: str
    remedy: str | None = None

    def text(self, columns: int) -> str:
        """Put it on lines of at most *columns*; a path that is longer stays whole."""
        head = f"{self.state:<5}{self.name:<{_NAME_COLUMNS}}"
        indent = " " * len(head)
        home = str(Path.home())
        lines = [self.evidence, *([f"-> {self.remedy}"] if self.remedy else [])]
        wrapped = [
            part
            for line in lines
            for part in textwrap.wrap(
                line.replace(f"{home}/", "~/"),
                max(columns - len(head), 20),
                break_long_words=False,
                break_on_hyphens=False,
            )
        ]
        return "\n".join((indent if n else head) + part for n, part in enumerate(wrapped))

    def plain(self) -> dict[str, str | None]:
        """Return its fields for a script, with paths as they are."""
        return asdict(self)


def ok(evidence: str) -> Finding:
    """Tell of a link that is good."""
    return Finding(name="", state=State.OK, evidence=evidence)


def note(evidence: str, remedy: str | None = None) -> Finding:
    """Tell of something worth knowing."""
    return Finding(name="", state=State.NOTE, evidence=evidence, remedy=remedy)


def bad(evidence: str, remedy: str) -> Finding:
    """Tell of something in the way."""
    return Finding(name="", state=State.BAD, evidence=evidence, remedy=remedy)


Look: TypeAlias = Callable[[], Finding | Iterator[Finding]]


def looked(name: str, look: Look) -> Iterator[Finding]:
    """Look at one link; what is refused there is what is bad about it."""
    try:
        found = look()
        for one in [found] if isinstance(found, Finding) else found:
            yield Finding(name=name, state=one.state, evidence=one.evidence, remedy=one.remedy)
    except KimiMcpError as error:
        said = str(error).removeprefix("kimi_unusable: ")
        split = _LAST_SENTENCE.match(said)
        evidence, remedy = (split[1], split[2]) if split else (said, None)
        yield Finding(name=name, state=State.BAD, evidence=evidence, remedy=remedy)
