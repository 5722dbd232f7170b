"""What lies in a clone, seen without git and without following a single link.

Git descends into nested repositories and reads their configuration, so we walk ourselves and hand
git only the names of plain files. `.git` is left out at every depth, whatever it is.
"""

import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from kimi_mcp.errors import Refused


class Skipped(NamedTuple):
    """Something in the clone that git cannot hold, and why."""

    path: str
    reason: str


@dataclass(slots=True, kw_only=True)
class Survey:
    """What was found; paths are relative, `/` between parts, odd bytes as surrogates."""

    present: list[str] = field(default_factory=list[str])
    """Tracked files and links that are there."""
    new: list[str] = field(default_factory=list[str])
    """Files and links that are not tracked and not ignored."""
    in_submodules: list[str] = field(default_factory=list[str])
    """What lies where the base has a submodule."""
    skipped: list[Skipped] = field(default_factory=list[Skipped])
    unread: list[str] = field(default_factory=list[str])
    """Files and folders that cannot be read: what is tracked there counts as untouched."""


def survey(
    clone: Path,
    *,
    tracked: Collection[str],
    submodules: frozenset[str],
    named: Iterable[str],
    ignored: Callable[[list[str], list[str]], set[str]],
) -> Survey:
    """Walk *clone* and sort what is there.

    *ignored* is asked with (files, folders) and answers which of them the ignore rules hide; a
    hidden folder is not walked. *named* are paths that are found even when hidden.

    Raises:
        Refused: the clone is not a folder any more.
    """
    if clone.is_symlink() or not clone.is_dir():
        raise Refused(f"The clone {clone} is gone or was replaced. What it held cannot be read.")
    found = Survey()
    folders_of_tracked = {
        folder for path in (*tracked, *submodules) for folder in _folders_above(path)
    }
    waiting = [""]
    while waiting:
        files: list[str] = []
        folders: list[str] = []
        while waiting:
            for path, kind in _listed(clone, waiting.pop(), found):
                if path in submodules:
                    found.in_submodules += _everything_under(clone, path, kind)
                elif kind == "folder":
                    (waiting if path in folders_of_tracked else folders).append(path)
                elif path in tracked:
                    found.present.append(path)
                else:
                    files.append(path)
        hidden = ignored(files, folders) if files or folders else set[str]()
        found.new += [path for path in files if path not in hidden]
        waiting = [path for path in folders if path not in hidden]
    found.skipped += [Skipped(path, "cannot be read") for path in found.unread]
    seen = {*found.present, *found.new}
    found.new += [
        path
        for path in dict.fromkeys(named)
        if path not in seen and _is_storable(clone, path, submodules)
    ]
    return found


def _listed(clone: Path, folder: str, found: Survey) -> Iterator[tuple[str, str]]:
    prefix = f"{folder}/" if folder else ""
    try:
        with os.scandir(f"{clone}/{folder}") as entries:
            for entry in entries:
                path = prefix + entry.name
                is_link = entry.is_symlink()
                if _is_gits_own(entry.name):
                    continue
                if not is_link and entry.is_dir(follow_symlinks=False):
                    yield path, "folder"
                elif reason := _obstacle(entry, is_link=is_link):
                    found.skipped.append(Skipped(path, reason))
                elif is_link or os.access(entry.path, os.R_OK):
                    yield path, "file"
                else:
                    found.unread.append(path)
    except OSError:  # no permission, or deeper than the system's longest path
        found.unread.append(folder)


def _obstacle(entry: os.DirEntry[str], *, is_link: bool) -> str | None:
    if _REFUSED_NAME.fullmatch(entry.name) or (
        is_link and _REFUSED_LINK_NAME.fullmatch(entry.name)
    ):
        return "git refuses this name"
    if is_link or entry.is_file(follow_symlinks=False):
        return None
    return "neither file, link nor folder"


# What git's verify_path turns away because NTFS would take it for `.git` or `.gitmodules`.
_REFUSED_NAME = re.compile(r"(git~1|\.git)([ .]*|[ .]*:.*)", re.IGNORECASE | re.DOTALL)
_REFUSED_LINK_NAME = re.compile(
    r"(\.gitmodules|gitmod~[1-4])([ .]*|[ .]*:.*)", re.IGNORECASE | re.DOTALL
)


def _is_gits_own(name: str) -> bool:
    return name.lower() == ".git"


def _everything_under(clone: Path, path: str, kind: str) -> Iterator[str]:
    if kind != "folder":
        yield path
        return
    for folder, folders, files in os.walk(clone / path):
        folders[:] = [name for name in folders if not _is_gits_own(name)]
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in (*files, *links):
            if not _is_gits_own(name):
                yield os.path.relpath(f"{folder}/{name}", clone)


def _is_storable(clone: Path, path: str, submodules: frozenset[str]) -> bool:
    above = list(_folders_above(path))
    if any(_is_gits_own(part) for part in path.split("/")) or not submodules.isdisjoint(above):
        return False
    if any((clone / folder).is_symlink() for folder in above):
        return False
    place = clone / path
    return place.is_symlink() or (place.is_file() and os.access(place, os.R_OK))


def _folders_above(path: str) -> Iterator[str]:
    cut = path.rfind("/")
    while cut > 0:
        yield path[:cut]
        cut = path.rfind("/", 0, cut)
