"""What lies in a clone beside the files of a commit: caches, ignored files, nested `.git` folders.

Compared before and after Kimi ran, it tells what a check must not see.
"""

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from posixpath import normpath

from kimi_mcp.workspace import git
from kimi_mcp.workspace.clone import Ledger
from kimi_mcp.workspace.stamps import Stamp, stamp_of


def leftovers(ledger: Ledger, commit: str, *, clone: Path) -> dict[str, Stamp]:
    """Stamp everything in *clone* that *commit* does not hold: files, links, empty folders.

    The clone's own `.git` is left out (`clone.renew_git` cares for it), nested ones are in.
    """
    output = git.run(["ls-tree", "-r", "-z", "--name-only", commit], git_dir=ledger.git_dir)
    held = frozenset(git.listed(output))
    return {path: stamp for path, stamp in _stamped(clone) if path not in held}


def fresh(before: Mapping[str, Stamp], after: Mapping[str, Stamp]) -> tuple[str, ...]:
    """Name what is new or different in *after*, sorted."""
    return tuple(sorted(path for path, stamp in after.items() if before.get(path) != stamp))


def set_aside(clone: Path, paths: Collection[str], *, into: Path) -> None:
    """Move *paths* out of the clone into the folder *into*, then drop folders left empty by it."""
    for path in paths:
        place = into / path
        place.parent.mkdir(parents=True, exist_ok=True)
        (clone / path).rename(place)
    folders = {folder for path in paths for folder in _above(path)}
    for folder in sorted(folders, key=len, reverse=True):
        with suppress(OSError):  # not empty
            (clone / folder).rmdir()


def _stamped(clone: Path) -> Iterator[tuple[str, Stamp]]:
    waiting = [(".", entry) for entry in _entries(clone) if entry.name != ".git"]
    while waiting:
        folder, entry = waiting.pop()
        path = normpath(f"{folder}/{entry.name}")
        inside = _entries(Path(entry.path)) if entry.is_dir(follow_symlinks=False) else []
        if inside:
            waiting += [(path, each) for each in inside]
            continue
        with suppress(OSError):  # deeper than the longest path: no check can name it either
            yield path, stamp_of(entry)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:  # without permission it counts as one thing, like an empty folder
        return []


def _above(path: str) -> Iterable[str]:
    parts = path.split("/")[:-1]
    return ("/".join(parts[:count]) for count in range(1, len(parts) + 1))
