"""The user's checkout as a commit, uncommitted files included. Index and stash are not touched."""

import shutil

from kimi_mcp.workspace import git
from kimi_mcp.workspace.checkout import check_at_rest
from kimi_mcp.workspace.claims import Use, claimed
from kimi_mcp.workspace.repository import Repository
from kimi_mcp.workspace.threeway import planted_commit, tree_id

_MESSAGE = "The user's files as they were at a dispatch, uncommitted ones included\n"


def snapshot(checkout: Repository) -> str:
    """Store the files of the checkout, untracked ones too and ignored ones not, upon HEAD.

    Returns:
        The commit, to which nothing refers yet; HEAD itself when nothing is uncommitted. The same
        files give the same commit.

    Raises:
        Refused: a merge, rebase or the like is under way.
    """
    check_at_rest(checkout)
    with claimed(checkout.git_dir, Use.SCRATCH) as scratch:
        index = scratch / "index"
        users = checkout.git_dir / "index"
        if users.is_file():  # what it knows of unchanged files saves reading them
            shutil.copyfile(users, index)
        # a mixture of line endings is the user's to settle, not ours to refuse
        order = ["-c", "core.safecrlf=false", "-c", "advice.addEmbeddedRepo=false", "add", "--all"]
        git.run(
            order,
            git_dir=checkout.git_dir,
            work_tree=checkout.root,
            index=index,
            reads_user_config=True,
        )
        tree = git.line(git.run(["write-tree"], git_dir=checkout.git_dir, index=index))
    if tree == tree_id(checkout.git_dir, checkout.head):
        return checkout.head
    return planted_commit(checkout.git_dir, tree, parents=[checkout.head], message=_MESSAGE)
