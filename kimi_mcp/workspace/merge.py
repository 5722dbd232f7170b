"""Results of several tasks become one commit, in our ledger, without a checkout.

Merging is git's own, two at a time in the order given. A conflict is named and never guessed at.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kimi_mcp.workspace import git
from kimi_mcp.workspace.clone import Ledger
from kimi_mcp.workspace.objects import commit_tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Two results that do not merge."""

    files: tuple[str, ...]
    between: tuple[str, str]
    """What was merged so far (a commit given, or a merge of those before), and the one refused."""


def merge(ledger: Ledger, commits: Sequence[str], *, message: str) -> str | Conflict:
    """Merge *commits* in order and return the result, or the first conflict.

    A commit that another one contains is not merged again; one commit alone is the result as it is.
    """
    merged, *others = _independent(ledger, commits)
    for commit in others:
        outcome = _merged_tree(ledger, merged, commit)
        if isinstance(outcome, Conflict):
            return outcome
        merged = commit_tree(
            ledger, outcome, parents=[merged, commit], message=message, by_worker=False
        )
    return merged


def _independent(ledger: Ledger, commits: Sequence[str]) -> list[str]:
    """Keep, in order, the commits that no other one contains."""
    output = git.run(["merge-base", "--independent", *commits], git_dir=ledger.git_dir)
    kept = set(git.line(output).splitlines())
    return [commit for commit in dict.fromkeys(commits) if commit in kept]


def _merged_tree(ledger: Ledger, ours: str, theirs: str) -> str | Conflict:
    order = ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs]
    answer = git.ask(order, git_dir=ledger.git_dir)
    if answer.exit_code > 1:
        raise git.failure(order, answer)
    tree, *files = git.listed(answer.stdout)
    if answer.exit_code == 0:
        return tree
    return Conflict(files=tuple(files), between=(ours, theirs))
