"""Submodules of a commit, laid into a clone from what the user has of them. No network.

They are plain files there, for a task's branch cannot hold a change in them: what was touched is
told as such. A submodule that the user has not fetched stays an empty folder.
"""

import json
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple, TypedDict

from kimi_mcp.private import opener
from kimi_mcp.workspace import git
from kimi_mcp.workspace.stamps import Stamp, stamp_of

_GITLINK = "160000"


class _Submodule(NamedTuple):
    path: str
    commit: str
    git_dir: Path


def lay_submodules(git_dir: Path, commit: str, *, modules: Path, work_tree: Path) -> list[str]:
    """Check the submodules of *commit* out, their own submodules too; return their folders.

    Args:
        git_dir: holds the commit.
        commit: whose submodules.
        modules: where the user's git keeps those of this level.
        work_tree: the folder in which that commit is checked out.
    """
    laid: list[str] = []
    for found in _submodules(git_dir, commit, modules=modules):
        folder = work_tree / found.path
        with tempfile.TemporaryDirectory() as scratch:
            answer = git.ask(
                ["read-tree", "-m", "-u", found.commit],
                git_dir=found.git_dir,
                work_tree=folder,
                index=Path(scratch, "index"),
            )
        if answer.exit_code != 0:  # the user has an older state of it
            continue
        inner = lay_submodules(
            found.git_dir, found.commit, modules=found.git_dir / "modules", work_tree=folder
        )
        laid += [found.path, *(f"{found.path}/{path}" for path in inner)]
    return laid


def remember(record: Path, folders: Iterable[str], *, clone: Path) -> None:
    """Write down in the file *record* how everything in these folders of the clone is now."""
    stamps = {
        path: list(stamp)
        for folder in folders
        for path in _files(clone, folder)
        if (stamp := _stamp(clone / path))
    }
    text = json.dumps({"folders": list(folders), "stamps": stamps})
    with open(record, "w", encoding="utf-8", opener=opener) as out:
        out.write(text)


def remembered_folders(record: Path) -> list[str]:
    """Return the folders that were written down."""
    return _read(record)["folders"]


def touched(record: Path, paths: Collection[str], *, clone: Path) -> tuple[str, ...]:
    """Name what lies in submodules (*paths*) and is not as it was remembered, or is gone."""
    known = _read(record)["stamps"]
    changed = {path for path in paths if _stamp(clone / path) != _known(known.get(path))}
    gone = {path for path in known if not os.path.lexists(clone / path)}
    return tuple(sorted(changed | gone))


class _Record(TypedDict):
    folders: list[str]
    stamps: dict[str, list[int]]


def _read(record: Path) -> _Record:
    try:
        return json.loads(record.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {"folders": [], "stamps": {}}


def _submodules(git_dir: Path, commit: str, *, modules: Path) -> Iterator[_Submodule]:
    listing = git.ask(["ls-tree", "-r", "-z", commit], git_dir=git_dir)
    entries = (entry.partition("\t") for entry in git.listed(listing.stdout))
    pinned = {path: head.split()[2] for head, _, path in entries if head.startswith(_GITLINK)}
    if not pinned:
        return
    asked = ["config", "--blob", f"{commit}:.gitmodules", "-z", "--list"]
    for setting in git.listed(git.ask(asked, git_dir=git_dir).stdout):
        key, _, path = setting.partition("\n")
        name = key.removeprefix("submodule.").removesuffix(".path")
        is_named = key.startswith("submodule.") and key.endswith(".path") and path in pinned
        is_inner = not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts
        if is_named and is_inner and (modules / name / "HEAD").is_file():
            yield _Submodule(path, pinned[path], modules / name)


def _files(clone: Path, folder: str) -> Iterator[str]:
    for place, _, names in os.walk(clone / folder):
        yield from (os.path.relpath(f"{place}/{name}", clone) for name in names)


def _stamp(file: Path) -> Stamp | None:
    try:
        return stamp_of(file)
    except OSError:
        return None


def _known(values: list[int] | None) -> Stamp | None:
    return Stamp(*values) if values else None
