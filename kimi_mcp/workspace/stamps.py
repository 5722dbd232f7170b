"""What identifies one state of a file, and how the stamps of many are kept.

A stamp holds the change time, which no program can set: a file whose content and modification time
were forged is found.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from kimi_mcp.private import opener


class Stamp(NamedTuple):
    """One state of one file."""

    size_bytes: int
    mtime_ns: int
    ctime_ns: int
    inode: int


def stamp_of(entry: Path | os.DirEntry[str]) -> Stamp:
    """Stamp a file, folder or link as it is.

    Raises:
        OSError: it is not there, or lies deeper than the system's longest path.
    """
    facts = entry.stat(follow_symlinks=False)
    return Stamp(facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino)


def keep(stamps: Mapping[str, Stamp], file: Path) -> None:
    """Write stamps by path to *file*, whole or not at all."""
    draft = file.with_name(f"{file.name}.new")
    with open(draft, "w", encoding="utf-8", opener=opener) as out:
        json.dump(stamps, out)
    draft.replace(file)


def kept(file: Path) -> dict[str, Stamp] | None:
    """Read what `keep` wrote; None when nothing was kept there."""
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return {path: Stamp(*values) for path, values in json.loads(text).items()}
