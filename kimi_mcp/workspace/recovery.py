"""A landing whose process was killed: it is undone, or completed if its branch had moved already.

A landing keeps all that is needed for either in folders of its own (`claims`): the files that it
took out, the names of those that it puts in, and before the branch moves the index that goes with
the new commit. The lock on the checkout's index is another name of a file in there, so that nobody
else's lock is ever taken for ours.
"""

import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from kimi_mcp.workspace import git
from kimi_mcp.workspace.claims import Use, drop, forsaken, sweep_nameless
from kimi_mcp.workspace.repository import Repository, locate
from kimi_mcp.workspace.swap import SwapFolder, identity, remove_empty


@dataclass(frozen=True, slots=True)
class LandingFolder:
    """What a landing keeps while it holds the index of a checkout."""

    root: Path

    @property
    def lock(self) -> Path:
        """The file whose other name is the index's lock."""
        return self.root / "held"

    @property
    def next_index(self) -> Path:
        """The index that the checkout is to have."""
        return self.root / "users-index"

    @property
    def _move(self) -> Path:
        return self.root / "move.json"

    def announce(self, branch: str, commit: str, *, index: Path) -> None:
        """Write down that the branch moves now; from then on the landing is completed."""
        told = {"branch": branch, "commit": commit, "index": identity(index)}
        draft = self._move.with_suffix(".new")
        draft.write_text(json.dumps(told), encoding="utf-8")
        draft.replace(self._move)

    def is_moved(self, git_dir: Path) -> bool:
        """Whether the branch holds what is landed."""
        if not self._move.is_file():
            return False
        told = json.loads(self._move.read_text(encoding="utf-8"))
        order = ["merge-base", "--is-ancestor", told["commit"], f"refs/heads/{told['branch']}"]
        return git.ask(order, git_dir=git_dir).exit_code == 0

    def is_index_old(self, index: Path) -> bool:
        """Whether the checkout's index is still the one from before."""
        told = json.loads(self._move.read_text(encoding="utf-8"))
        return identity(index) == told["index"]

    def put_index(self, git_dir: Path) -> None:
        """Make the next index that of the checkout, whose lock we hold."""
        shutil.copyfile(self.next_index, self.lock)
        (git_dir / "index.lock").replace(git_dir / "index")

    def holds(self, lock: Path) -> bool:
        """Whether a lock is ours."""
        return os.path.lexists(lock) and lock.samefile(self.lock)

    def unlock(self, lock: Path) -> None:
        """Give the lock back, if it is ours."""
        if self.holds(lock):
            lock.unlink()


def put_back_everywhere(repository: Repository) -> None:
    """Put right what killed landings have left in any checkout of a repository."""
    listing = git.run(["worktree", "list", "--porcelain", "-z"], git_dir=repository.common_dir)
    places = [line for line in git.listed(listing) if line.startswith("worktree ")]
    for place in (Path(line.removeprefix("worktree ")) for line in places):
        if (place / ".git").exists():
            put_back(locate(place))
    _end_passing(repository.common_dir)


def put_back(checkout: Repository) -> bool:
    """Put right what killed landings have left in a checkout; tell whether there was anything."""
    is_found = False
    for root in forsaken(checkout.git_dir, Use.LANDING):
        is_found = True
        _settle(checkout, LandingFolder(root))
        drop(root)
    _undo_swaps(checkout)  # nothing is left of them, but of a landing that was killed very early
    for root in forsaken(checkout.git_dir, Use.SCRATCH):
        drop(root)
    sweep_nameless(checkout.git_dir)
    return is_found


def _settle(checkout: Repository, landing: LandingFolder) -> None:
    lock, index = checkout.git_dir / "index.lock", checkout.git_dir / "index"
    if not landing.is_moved(checkout.common_dir):
        _undo_swaps(checkout)
        landing.unlock(lock)
        return
    _undo_swaps(checkout, is_final=True)
    if landing.is_index_old(index) and (landing.holds(lock) or _locked(lock, landing.lock)):
        landing.put_index(checkout.git_dir)


def _locked(lock: Path, own: Path) -> bool:
    try:
        os.link(own, lock)
    except OSError:  # somebody works there: git sees the new commit and an older index
        return False
    return True


def _undo_swaps(checkout: Repository, *, is_final: bool = False) -> None:
    for place in {checkout.git_dir, checkout.root}:
        for root in forsaken(place, Use.SWAP):
            swap = SwapFolder(root)
            if swap.incoming.is_file() and not is_final:
                _restore(swap, checkout.root)
            drop(root)
        sweep_nameless(place)


def _end_passing(common_dir: Path) -> None:
    for root in forsaken(common_dir, Use.PASSING):
        order = ["worktree", "remove", "--force", "--force", str(root / "checkout")]
        git.ask(order, git_dir=common_dir)
        drop(root)
        git.ask(["worktree", "prune"], git_dir=common_dir)


def _restore(swap: SwapFolder, root: Path) -> None:
    """Put back what was taken out, but for what somebody has written since: that is theirs."""
    incoming: dict[str, list[int]] = json.loads(swap.incoming.read_text(encoding="utf-8"))
    for path, known in incoming.items():
        target = root / path
        if os.path.lexists(target) and identity(target) == known:
            target.unlink()
            remove_empty(target, root)
    for folder, folders, files in os.walk(swap.old):
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in (*files, *links):
            target = root / Path(folder, name).relative_to(swap.old)
            if not os.path.lexists(target):  # git has what was there: only that is ever taken out
                target.parent.mkdir(parents=True, exist_ok=True)
                Path(folder, name).rename(target)
