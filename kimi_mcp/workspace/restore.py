"""Putting single files of a clone back to what a commit has of them."""

from collections.abc import Iterable
from pathlib import Path

from kimi_mcp.workspace import git
from kimi_mcp.workspace.clone import Ledger


def restore(ledger: Ledger, commit: str, paths: Iterable[str], *, clone: Path, index: Path) -> None:
    """Make *paths* in *clone* what *commit* has there; what it does not have is removed.

    Nothing outside the clone is touched, also where a link has taken a folder's place.
    """
    wanted = list(paths)
    if not wanted:
        return  # git takes no path for every path
    listing = ["ls-tree", "-r", "-z", "--name-only", commit, "--", *wanted]
    literal = {"GIT_LITERAL_PATHSPECS": "1"}
    held = set(git.listed(git.run(listing, git_dir=ledger.git_dir, env=literal)))
    for path in wanted:
        if path not in held and not _is_behind_link(clone, path):
            (clone / path).unlink(missing_ok=True)
    if held:
        git.run(
            ["checkout", "--quiet", commit, "--", *sorted(held)],
            git_dir=ledger.git_dir,
            work_tree=clone,
            index=index,
            env=literal,
        )


def _is_behind_link(clone: Path, path: str) -> bool:
    folders = [*(clone / path).parents]
    return any(folder.is_symlink() for folder in folders[: folders.index(clone)])
