"""Files of the user's checkout give way to new ones: all of them, or none.

The new ones lie ready on the same disk before the first is moved, and every old one is kept until
the end, so that each step is a rename and can be undone by one. What is not as it was stamped, or
stands where a new file goes, ends the swap with everything back in its place.
"""

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from kimi_mcp.errors import Refused
from kimi_mcp.quoting.quotes import quoted
from kimi_mcp.workspace import git
from kimi_mcp.workspace.claims import Use, claim
from kimi_mcp.workspace.repository import Repository
from kimi_mcp.workspace.stamps import Stamp, stamp_of

NAME_CHARS = 120


@dataclass(frozen=True, slots=True)
class SwapFolder:
    """Where a swap keeps the files that come in, and those that it has taken out."""

    root: Path

    @property
    def new(self) -> Path:
        """The files that are to come in."""
        return self.root / "new"

    @property
    def old(self) -> Path:
        """The files that were taken out."""
        return self.root / "old"

    @property
    def incoming(self) -> Path:
        """Tells the files that come in; gone when the swap is final."""
        return self.root / "incoming"

    def note_incoming(self, paths: Collection[str]) -> None:
        """Write down what identifies each file that comes in, wherever it is moved."""
        known = {path: identity(self.new / path) for path in paths}
        self.incoming.write_text(json.dumps(known), encoding="utf-8")


class Swap:
    """One swap in one checkout. Leaving its block undoes it, unless it was kept."""

    def __init__(self, checkout: Repository, tree: str, paths: Collection[str]) -> None:
        """Prepare to make *paths* what *tree* has there; what it lacks is removed.

        The files are laid aside now, with the line endings and filters that the user has set.
        """
        self._root = checkout.root
        self._paths = sorted(paths)
        self._moved: list[tuple[Path, Path]] = []  # from where, to where
        self._made: list[Path] = []  # folders
        self._claim = claim(_beside(checkout), Use.SWAP)
        self._folder = SwapFolder(self._claim.root)
        try:
            self._present = _lay_out(checkout, tree, self._paths, into=self._folder.new)
            self._folder.note_incoming(self._present)
        except BaseException:
            self._claim.end()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._undo()
        self._claim.end()

    def perform(self, before: Mapping[str, Stamp | None]) -> None:
        """Move the old files out and the new ones in; *before* tells how each path must still be.

        Raises:
            Refused: one is not, or something stands in the way. Leaving the block undoes the rest.
        """
        for path in self._paths:
            self._take_out(path, before[path])
        for path in self._paths:
            if path in self._present:
                self._put_in(path)

    def keep(self) -> None:
        """Make it final: leaving the block changes nothing any more, and the old files go."""
        self._folder.incoming.unlink()
        self._moved.clear()
        self._made.clear()

    def _take_out(self, path: str, before: Stamp | None) -> None:
        if _is_behind_link(self._root, path):
            raise _in_the_way(path, "lies behind a symbolic link")
        if state_of(self._root / path) != before:
            raise _in_the_way(path, "was changed just now")
        if before is None:
            return
        self._move(self._root / path, self._folder.old / path)
        remove_empty(self._root / path, self._root)

    def _put_in(self, path: str) -> None:
        target = self._root / path
        for folder in [*reversed(target.parents)][len(self._root.parents) + 1 :]:
            if folder.is_symlink() or (os.path.lexists(folder) and not folder.is_dir()):
                raise _in_the_way(str(folder.relative_to(self._root)), "stands where a folder goes")
            if not folder.is_dir():
                folder.mkdir()
                self._made.append(folder)
        if os.path.lexists(target):
            raise _in_the_way(path, "stands where Kimi's file goes")
        self._move(self._folder.new / path, target)

    def _move(self, source: Path, target: Path) -> None:
        if source.is_relative_to(self._root) and target.is_relative_to(self._folder.root):
            target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
        self._moved.append((source, target))

    def _undo(self) -> None:
        for source, target in reversed(self._moved):
            # a hook may have removed the new file, or an editor made another
            source.parent.mkdir(parents=True, exist_ok=True)
            if os.path.lexists(target):
                target.rename(source)
        for folder in reversed(self._made):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def identity(file: Path) -> list[int]:
    """Give what of a file stays the same when it is moved, and not when it is saved again."""
    stamp = stamp_of(file)
    return [stamp.size_bytes, stamp.mtime_ns, stamp.inode]


def state_of(file: Path) -> Stamp | None:
    """Stamp what lies at a path; None: nothing, or a folder."""
    try:
        return None if file.is_dir() and not file.is_symlink() else stamp_of(file)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _lay_out(
    checkout: Repository, tree: str, paths: Collection[str], *, into: Path
) -> frozenset[str]:
    """Write the files that *tree* has at *paths* beneath *into*; return their paths."""
    index = into.with_name("index")
    git.run(["read-tree", tree], git_dir=checkout.git_dir, index=index)
    listing = git.run(["ls-files", "-z"], git_dir=checkout.git_dir, index=index)
    present = frozenset(paths) & frozenset(git.listed(listing))
    into.mkdir()
    git.run(
        ["checkout-index", "-z", "--stdin", f"--prefix={into}/"],
        git_dir=checkout.git_dir,
        work_tree=checkout.root,
        index=index,
        stdin=git.joined(present),
        reads_user_config=True,
    )
    return present


def _beside(checkout: Repository) -> Path:
    """Give a folder on the checkout's own disk, in its git directory where that is on it."""
    is_same = checkout.git_dir.stat().st_dev == checkout.root.stat().st_dev
    return checkout.git_dir if is_same else checkout.root


def _is_behind_link(root: Path, path: str) -> bool:
    return any((root / folder).is_symlink() for folder in Path(path).parents)


def remove_empty(path: Path, root: Path) -> None:
    """Remove the folders above a file that has gone, up to *root*, as far as they are empty."""
    for folder in path.parents:
        if folder == root or any(folder.iterdir()):
            return
        folder.rmdir()


def _in_the_way(path: str, why: str) -> Refused:
    return Refused(
        f"{quoted(path, limit=NAME_CHARS)} {why}. Nothing was changed. "
        "Move it away or commit it, then retry."
    )
