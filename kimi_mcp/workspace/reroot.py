"""What was changed since a snapshot of the user's files, as a commit without that snapshot."""

from kimi_mcp.errors import Refused
from kimi_mcp.quoting.quotes import named
from kimi_mcp.workspace import git
from kimi_mcp.workspace.draft import NAMED_FILES, Work
from kimi_mcp.workspace.merge import Conflict
from kimi_mcp.workspace.objects import WORKER_EMAIL, WORKER_NAME
from kimi_mcp.workspace.repository import Repository, identity
from kimi_mcp.workspace.threeway import threeway


def reroot(repository: Repository, work: Work, *, onto: str, message: str) -> str:
    """Write a commit upon *onto* that holds only the work, nothing of the user's snapshot.

    Raises:
        Refused: the work rests on uncommitted changes of the snapshot.
    """
    tree = threeway(repository.common_dir, base=work.base, ours=onto, theirs=work.commit)
    if isinstance(tree, Conflict):
        raise Refused(
            f"The work builds upon changes in {named(tree.files, most=NAMED_FILES)} that were "
            "uncommitted at the dispatch, and cannot stand without them. "
            "Nothing was changed. Commit those changes and land with how=squash, or land with "
            "how=apply."
        )
    return commit_for(repository, tree, parents=(onto,), message=message)


def commit_for(repository: Repository, tree: str, *, parents: tuple[str, ...], message: str) -> str:
    """Write a commit of the worker's, committed by the user; nothing refers to it yet."""
    name, email = identity(repository)
    people = {
        "GIT_AUTHOR_NAME": WORKER_NAME,
        "GIT_AUTHOR_EMAIL": WORKER_EMAIL,
        "GIT_COMMITTER_NAME": name,
        "GIT_COMMITTER_EMAIL": email,
    }
    order = ["commit-tree", tree, *(part for parent in parents for part in ("-p", parent))]
    output = git.run(
        [*order, "-F", "-"],
        git_dir=repository.common_dir,
        stdin=message.encode("utf-8", "replace"),
        env=people,
    )
    return git.line(output)
