"""Which agent wrote which file, as the journals of a Kimi home tell it.

Only what an agent wrote with a file tool is known; what its shell commands wrote is nobody's. The
worker could change the journals, so this may move a stray file to one task and clear none.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from kimi_mcp.kimi.dialect import Dialect
from kimi_mcp.kimi.records import json_object, mapping, text_or_none

MOST_BYTES = 50_000_000
_WRITERS = frozenset({"Edit", "Write", "StrReplaceFile", "WriteFile"})


def authors(home: Path, dialect: Dialect, *, clone: Path) -> Mapping[str, str]:
    """Return the agent that last wrote each file, by its path in *clone*."""
    found: dict[str, str] = {}
    for path in sorted(home.glob(dialect.journals)):
        _, agent = dialect.journal_of(path)
        for named in _written(path):
            absolute = Path(named) if Path(named).is_absolute() else clone / named
            if absolute.is_relative_to(clone):
                found[absolute.relative_to(clone).as_posix()] = agent
    return found


def _written(journal: Path) -> Iterator[str]:
    try:
        with journal.open("rb") as stream:
            lines = stream.read(MOST_BYTES).splitlines()
    except OSError:
        return
    for line in lines:
        event = mapping(json_object(line).get("event"))
        if event.get("type") == "tool.call" and event.get("name") in _WRITERS:
            named = text_or_none(mapping(event.get("args")).get("path"))
            if named:
                yield named
