"""Commits, trees and blobs of a ledger, read and written without any work tree."""

from collections.abc import Sequence

from kimi_mcp.workspace import git
from kimi_mcp.workspace.clone import Ledger

WORKER_NAME = "Kimi"
WORKER_EMAIL = "kimi@kimi-mcp.invalid"


def tree_of(ledger: Ledger, commit: str) -> str:
    """Return the tree of a commit."""
    question = ["rev-parse", "--verify", f"{commit}^{{tree}}"]
    return git.line(git.run(question, git_dir=ledger.git_dir))


def commit_tree(
    ledger: Ledger, tree: str, *, parents: Sequence[str], message: str, by_worker: bool
) -> str:
    """Write a commit; the user is committer, and author too unless the worker made it."""
    author = {"GIT_AUTHOR_NAME": WORKER_NAME, "GIT_AUTHOR_EMAIL": WORKER_EMAIL}
    args = ["commit-tree", tree, *(part for parent in parents for part in ("-p", parent))]
    output = git.run(
        [*args, "-F", "-"],
        git_dir=ledger.git_dir,
        stdin=message.encode("utf-8", "replace"),
        env=author if by_worker else None,
    )
    return git.line(output)


def is_ancestor(ledger: Ledger, earlier: str, later: str) -> bool:
    """Whether *later* contains *earlier*; every commit contains itself."""
    question = ["merge-base", "--is-ancestor", earlier, later]
    return earlier == later or git.ask(question, git_dir=ledger.git_dir).exit_code == 0


def sizes(ledger: Ledger, blobs: Sequence[str | None]) -> list[int | None]:
    """Measure blobs by their names, in bytes, in order; None where none is named or it is not here.

    Of a partial clone only those are here that somebody has needed.
    """
    named = [blob for blob in blobs if blob]
    if not named:
        return [None] * len(blobs)
    request = "".join(f"{blob}\n" for blob in named).encode("ascii")
    form = "--batch-check=%(objectsize)"
    output = git.run(["cat-file", form], git_dir=ledger.git_dir, stdin=request)
    measured = (int(line) if line.isdigit() else None for line in output.splitlines())
    return [next(measured) if blob else None for blob in blobs]


def contents(ledger: Ledger, blobs: Sequence[str]) -> list[bytes]:
    """Read blobs by their names, in order."""
    if not blobs:
        return []
    request = "".join(f"{blob}\n" for blob in blobs).encode("ascii")
    output = git.run(["cat-file", "--batch"], git_dir=ledger.git_dir, stdin=request)
    texts: list[bytes] = []
    position = 0
    for _ in blobs:
        end_of_head = output.index(b"\n", position)
        size = int(output[position:end_of_head].rsplit(b" ", 1)[1])
        position = end_of_head + 1 + size + 1
        texts.append(output[end_of_head + 1 : position - 1])
    return texts
