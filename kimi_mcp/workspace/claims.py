"""Folders of ours in the user's git directory, each locked as long as its process lives.

A folder whose lock is free was left by a process that was killed. So everything that we need there
for a while lies in such a folder, and whoever comes next can tell what is forsaken.
"""

import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from kimi_mcp import flock

_NAMELESS = "kimi-mcp.none."
_ALIVE = "alive"


class Use(StrEnum):
    """What a folder is for."""

    SCRATCH = "scratch"  # an index that is made and read
    LANDING = "landing"  # work that comes in: holds the checkout's index
    SWAP = "swap"  # files of the checkout that change places
    PASSING = "passing"  # a checkout for hooks to look at


@dataclass(frozen=True, slots=True)
class Claim:
    """A folder that is ours as long as its lock is held."""

    root: Path
    _lock: int

    def end(self) -> None:
        """Remove the folder with all that is in it, and give its lock back."""
        drop(self.root)
        os.close(self._lock)


def claim(place: Path, use: Use) -> Claim:
    """Make a folder in *place*. It gets its name only when it is locked."""
    while True:
        made = Path(tempfile.mkdtemp(dir=place, prefix=_NAMELESS))
        lock = flock.take(made / _ALIVE)
        if lock is None:
            continue
        root = place / f"kimi-mcp.{use}.{made.name.removeprefix(_NAMELESS)}"
        try:
            made.rename(root)
        except FileNotFoundError:  # somebody took it for forsaken
            os.close(lock)
            continue
        return Claim(root, lock)


@contextmanager
def claimed(place: Path, use: Use) -> Generator[Path]:
    """Have a folder in *place* while the block runs."""
    own = claim(place, use)
    try:
        yield own.root
    finally:
        own.end()


def forsaken(place: Path, use: Use) -> Iterator[Path]:
    """Yield each folder in *place* whose process is gone, held meanwhile."""
    for root in sorted(place.glob(f"kimi-mcp.{use}.*")):
        lock = flock.take(root / _ALIVE, is_made=False)
        if lock is not None:
            try:
                yield root
            finally:
                os.close(lock)


def drop(root: Path) -> None:
    """Remove a folder: it loses its name first, so that none is ever half there under it."""
    doomed = root.with_name(_NAMELESS + root.name.rpartition(".")[2])
    with suppress(FileNotFoundError):  # somebody removed it by hand
        root.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)


def sweep_nameless(place: Path) -> None:
    """Remove folders whose process was killed before it had locked them, or while it removed them.

    Who is making one just now makes another one.
    """
    for root in place.glob(f"{_NAMELESS}*"):
        shutil.rmtree(root, ignore_errors=True)
