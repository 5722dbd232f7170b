"""What became of a base in two ways, put together in the user's object store. No ref, no checkout.

The base is named, and not looked for: git 2.39 has no `merge-tree --merge-base`, so both sides are
first planted upon it as commits that nothing refers to. Thus only what a dispatch changed since its
base is ever taken over, wherever its branch has come from.
"""

from collections.abc import Sequence
from pathlib import Path

from kimi_mcp.workspace import git
from kimi_mcp.workspace.clone import Ledger
from kimi_mcp.workspace.merge import Conflict, merged_tree

#: Who plants them; always at the same time, so that the same trees give the same commits.
_PLANTER = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (
        ("NAME", "kimi-mcp"),
        ("EMAIL", "kimi-mcp@kimi-mcp.invalid"),
        ("DATE", "@0 +0000"),
    )
}


def threeway(git_dir: Path, *, base: str, ours: str, theirs: str) -> str | Conflict:
    """Return the tree of *ours* with all that *theirs* changed since *base*; trees or commits."""
    sides = [tree_id(git_dir, side) for side in (ours, theirs)]
    if sides[1] == tree_id(git_dir, base):
        return sides[0]
    planted = [planted_commit(git_dir, side, parents=[base]) for side in sides]
    return merged_tree(Ledger(git_dir), *planted)


def planted_commit(
    git_dir: Path, tree: str, *, parents: Sequence[str], message: str = "kimi-mcp\n"
) -> str:
    """Write a commit of *tree* that nothing refers to; the same arguments give the same commit."""
    order = ["commit-tree", tree, *(part for parent in parents for part in ("-p", parent))]
    output = git.run([*order, "-F", "-"], git_dir=git_dir, stdin=message.encode(), env=_PLANTER)
    return git.line(output)


def tree_id(git_dir: Path, revision: str) -> str:
    """Return the tree of a commit, or the tree itself."""
    return git.line(git.run(["rev-parse", "--verify", f"{revision}^{{tree}}"], git_dir=git_dir))


def differing(git_dir: Path, one: str, other: str) -> dict[str, str]:
    """Name the paths in which two trees or commits differ, each with git's letter for it."""
    options = ["-r", "-z", "--name-status", "--no-renames"]
    fields = git.listed(git.run(["diff-tree", *options, one, other], git_dir=git_dir))
    return dict(zip(fields[1::2], fields[::2], strict=True))


def submodules_in(git_dir: Path, tree: str) -> frozenset[str]:
    """Name the paths at which a tree has submodules."""
    entries = git.listed(git.run(["ls-tree", "-r", "-z", tree], git_dir=git_dir))
    return frozenset(
        path
        for head, _, path in (entry.partition("\t") for entry in entries)
        if head.startswith("160000")
    )
