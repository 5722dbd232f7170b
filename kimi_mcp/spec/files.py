"""The facts about the repository's files that lint needs: the one module of lint that reads a disk.

Only paths that a spec names are looked at; the whole tree is listed only when one of them is
missing or a glob, because that is the one thing that costs with 6,000 files (about 20 ms).
"""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from kimi_mcp import globs
from kimi_mcp.errors import Refused
from kimi_mcp.reading import read_text
from kimi_mcp.spec import paths
from kimi_mcp.spec.model import Spec

_MAX_LISTED = 100_000
_MAX_LIST_BYTES = 1_000_000


class Kind(StrEnum):
    """What stands at a path of the repository, on the disk or in the listed files."""

    FILE = "file"
    FOLDER = "folder"
    MISSING = "missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is known of one path; *leads_to* is where a symbolic link on the way ends.

    *leads_to* is relative to the root, and None without a link; *leaves* says that it ends outside.
    *is_uncommitted* is a path that stands on the disk and not in the listed files.
    """

    kind: Kind
    leads_to: str | None = None
    leaves: bool = False
    is_uncommitted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """The facts of one repository for one spec; *files* is empty when nobody had to know."""

    places: Mapping[str, Place]
    files: tuple[str, ...] = ()
    submodules: tuple[str, ...] = ()
    folder: str = ""

    def place(self, path: str) -> Place:
        """Give what is known of a path from the root."""
        return self.places.get(path, Place(kind=Kind.MISSING))

    def submodule(self, path: str) -> str | None:
        """Name the submodule that holds *path*."""
        inside = (s for s in self.submodules if path == s or path.startswith(f"{s}/"))
        return next(inside, None)

    def locate(self, path: str) -> str:
        """Give *path* from the root: tried from the project folder first, then from the root."""
        tried = [paths.rooted(path, folder=folder) for folder in dict.fromkeys([self.folder, ""])]
        for candidate in tried:
            if self.place(candidate).kind is not Kind.MISSING or (
                globs.is_glob(candidate) and globs.expand(candidate, self.files)
            ):
                return candidate
        return tried[0]


def look(
    root: Path, named: Iterable[str], *, folder: str = "", listed: Sequence[str] | None = None
) -> Tree:
    """Learn the facts about the paths *named*, written from *folder* or from the root.

    *listed* are the files at the base commit, where the caller knows them: a task sees those and
    nothing else, so they decide what exists.
    """
    real_root = Path(os.path.realpath(root))
    found: dict[str, Place] = {}
    for path in named:
        for base in dict.fromkeys([folder, ""]):
            if paths.flaw(path, folder=base) is None:
                candidate = paths.rooted(path, folder=base)
                if candidate not in found and not globs.is_glob(candidate):
                    found[candidate] = _place(real_root, candidate)
    if listed is not None:
        found = {path: _committed(path, place, listed) for path, place in found.items()}
    needs_list = any(place.kind is Kind.MISSING for place in found.values()) or any(
        globs.is_glob(path) for path in named
    )
    files = tuple(listed) if listed is not None else ()
    if needs_list and listed is None:
        files = tuple(_walk(real_root))
    return Tree(places=found, files=files, submodules=_submodules(real_root), folder=folder)


def named_paths(spec: Spec) -> tuple[str, ...]:
    """Give every path that the spec's tasks name."""
    entries = (entry for task in spec.tasks for entry in task.files)
    return tuple(p for entry in entries for p in (entry.path, entry.target) if p is not None)


def exists(root: Path, path: str, *, folder: str = "") -> bool:
    """Tell whether *path*, written from *folder* or from the root, stands on the disk."""
    real_root = Path(os.path.realpath(root))
    return any(
        paths.flaw(path, folder=base) is None
        and _place(real_root, paths.rooted(path, folder=base)).kind is not Kind.MISSING
        for base in dict.fromkeys([folder, ""])
    )


def _committed(path: str, place: Place, listed: Sequence[str]) -> Place:
    if path in listed:
        return replace(place, kind=Kind.FILE)
    if any(name.startswith(f"{path}/") for name in listed):
        return replace(place, kind=Kind.FOLDER)
    is_there = place.kind is not Kind.MISSING
    return replace(place, kind=Kind.MISSING, is_uncommitted=is_there)


def _place(root: Path, path: str) -> Place:
    full = root / path
    try:
        mode = full.lstat().st_mode
        real = os.path.realpath(full)
        kind = Kind.FOLDER if stat.S_ISDIR(full.stat().st_mode) else Kind.FILE
    except (OSError, ValueError):  # ValueError: a NUL in the path
        kind, mode = Kind.MISSING, 0
        try:
            real = os.path.realpath(full)
        except (OSError, ValueError):
            return Place(kind=kind)
    if real == str(full):
        return Place(kind=kind)
    inside = os.path.relpath(real, root).replace(os.sep, "/")
    leaves = inside == ".." or inside.startswith("../") or inside.split("/")[0] == ".git"
    is_broken_link = kind is Kind.MISSING and stat.S_ISLNK(mode)
    return Place(
        kind=Kind.FILE if is_broken_link else kind,
        leads_to=None if leaves else inside,
        leaves=leaves,
    )


def _walk(root: Path) -> Iterator[str]:
    """List files from the root, `.git` and what links lead to left out."""
    count = 0
    folders = [""]
    while folders:
        prefix = folders.pop()
        try:
            entries = sorted(os.scandir(root / prefix), key=lambda entry: entry.name)
        except OSError:
            continue  # unreadable folders hold nothing that a task could name
        for entry in entries:
            if entry.name == ".git":
                continue
            if entry.is_dir(follow_symlinks=False):
                folders.append(f"{prefix}{entry.name}/")
            else:
                count += 1
                yield f"{prefix}{entry.name}"
        if count > _MAX_LISTED:
            return


def _submodules(root: Path) -> tuple[str, ...]:
    try:
        text = read_text(
            root / ".gitmodules",
            what="The list of submodules",
            limit_bytes=_MAX_LIST_BYTES,
            limit_name="what such a list may have",
            within=(root,),
        )
    except Refused:
        return ()
    pairs = (line.partition("=") for line in text.splitlines())
    paths = (value.strip() for key, _, value in pairs if key.strip() == "path")
    return tuple(path.strip('"').rstrip("/") for path in paths)
