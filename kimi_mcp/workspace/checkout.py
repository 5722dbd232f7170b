"""A checkout of the user's as it is now: what is uncommitted, what is going on, what it holds."""

import os
from collections.abc import Collection, Generator
from contextlib import contextmanager
from pathlib import Path

from kimi_mcp.errors import Refused
from kimi_mcp.workspace import git
from kimi_mcp.workspace.claims import Use, claimed
from kimi_mcp.workspace.recovery import LandingFolder, put_back
from kimi_mcp.workspace.repository import Repository, locate

_OPERATIONS = {
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
}


def branch_head(repository: Repository, branch: str) -> str | None:
    """Return the commit of a branch; None when there is no such branch."""
    answer = git.ask(
        ["rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}"],
        git_dir=repository.common_dir,
    )
    return git.line(answer.stdout) or None


def checkout_of(repository: Repository, branch: str) -> Repository | None:
    """Return the checkout of a branch, the repository's own or a linked worktree; None: nowhere."""
    if repository.branch == branch:
        return repository
    question = ["for-each-ref", "--format=%(worktreepath)", f"refs/heads/{branch}"]
    place = git.line(git.run(question, git_dir=repository.common_dir))
    return locate(Path(place)) if place and Path(place).is_dir() else None


def check_at_rest(checkout: Repository) -> None:
    """Make sure that no operation of the user's is under way.

    Raises:
        Refused: one is.
    """
    for name, operation in _OPERATIONS.items():
        if (checkout.git_dir / name).exists():
            raise Refused(
                f"A {operation} is under way in {checkout.root}. Nothing was changed. "
                f"Finish it or `git {operation} --abort`, then retry."
            )
    unmerged = git.run(["ls-files", "-u", "-z"], git_dir=checkout.git_dir, work_tree=checkout.root)
    if unmerged:
        raise Refused(
            f"There are unmerged files in {checkout.root}. Nothing was changed. "
            "Settle and `git add` them, then retry."
        )


@contextmanager
def held(checkout: Repository) -> Generator[LandingFolder]:
    """Hold the lock of a checkout's index, as git does while it changes one; yield our folder.

    What a killed landing has left is put right first.

    Raises:
        Refused: another program holds it.
    """
    lock = checkout.git_dir / "index.lock"
    put_back(checkout)
    with claimed(checkout.git_dir, Use.LANDING) as root:
        folder = LandingFolder(root)
        folder.lock.touch(mode=0o644)
        try:
            # one file with two names: whoever finds our folder can tell that the lock is ours
            os.link(folder.lock, lock)
        except FileExistsError as error:
            raise Refused(
                f"Another git program is at work in {checkout.root}. Nothing was changed. Retry "
                f"when it has ended; if none is running, remove {lock}."
            ) from error
        try:
            yield folder
        finally:
            folder.unlock(lock)


def tree_with_files(checkout: Repository, commit: str, paths: Collection[str]) -> str:
    """Write the tree of *commit* with *paths* as they lie in the work tree, and return it.

    A path that is not there is left out of the tree. Neither the index nor any ref is touched.
    """
    with claimed(checkout.git_dir, Use.SCRATCH) as scratch:
        index = scratch / "index"
        git.run(["read-tree", commit], git_dir=checkout.git_dir, index=index)
        if paths:
            git.run(
                ["update-index", "--add", "--remove", "--replace", "-z", "--stdin"],
                git_dir=checkout.git_dir,
                work_tree=checkout.root,
                index=index,
                stdin=git.joined(paths),
                reads_user_config=True,
            )
        return git.line(git.run(["write-tree"], git_dir=checkout.git_dir, index=index))
