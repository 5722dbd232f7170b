"""Results of several tasks become one commit, in our ledger, without a checkout.

Merging is git's own, two at a time in the order given. A conflict is named and never guessed at.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kimi_mcp.workspace import git
from kimi_mcp.workspace.clone import Ledger
from kimi_mcp.workspace.objects import commit_tree

OPENING, CLOSING = b"<<<<<<< ", b">>>>>>> "  # how git 2.39 marks both sides of a conflict


class Lines(NamedTuple):
    """Lines of a file, the first one and the last, counted from 1."""

    first: int
    last: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """Two results that do not merge."""

    files: tuple[str, ...]
    tree: str = field(compare=False)
    """What git makes of both: each place that it cannot decide holds both sides, marked."""


def merge(ledger: Ledger, commits: Sequence[str], *, message: str) -> str | Conflict:
    """Merge *commits* in order and return the result, or the first conflict.

    A commit that another one contains is not merged again; one commit alone is the result as it is.
    """
    merged, *others = _independent(ledger, commits)
    for commit in others:
        outcome = merged_tree(ledger, merged, commit)
        if isinstance(outcome, Conflict):
            return outcome
        merged = commit_tree(
            ledger, outcome, parents=[merged, commit], message=message, by_worker=False
        )
    return merged


def conflict_of(ledger: Ledger, ours: str, theirs: str) -> Conflict | None:
    """Return why two commits do not merge; nothing when they do."""
    outcome = merged_tree(ledger, ours, theirs)
    return outcome if isinstance(outcome, Conflict) else None


def marked_places(ledger: Ledger, conflict: Conflict) -> Mapping[str, tuple[Lines, ...]]:
    """Tell of each file in conflict which lines of the marked text lie between markers.

    None of a file that only one side has, or that holds no text.
    """
    places: dict[str, tuple[Lines, ...]] = {}
    for path in conflict.files:
        question = ["cat-file", "blob", f"{conflict.tree}:{path}"]
        places[path] = tuple(_marked(git.ask(question, git_dir=ledger.git_dir).stdout))
    return places


def still_marked(ledger: Ledger, commit: str, paths: Sequence[str]) -> tuple[str, ...]:
    """Name those of *paths* whose text in *commit* still holds both markers of a conflict."""
    if not paths:
        return ()
    either = [part for marker in (OPENING, CLOSING) for part in ("-e", f"^{marker.decode()}")]
    order = ["grep", "-z", "-l", "--all-match", *either, commit, "--", *map(_literal, paths)]
    answer = git.ask(order, git_dir=ledger.git_dir)
    if answer.exit_code > 1:
        raise git.failure(order, answer)
    return tuple(name.partition(":")[2] for name in git.listed(answer.stdout))


def _literal(path: str) -> str:
    return f":(literal){path}"


def _marked(text: bytes) -> Iterator[Lines]:
    first: int | None = None
    for number, line in enumerate(text.split(b"\n"), start=1):
        if line.startswith(OPENING):
            first = number
        elif line.startswith(CLOSING) and first is not None:
            yield Lines(first, number)
            first = None


def _independent(ledger: Ledger, commits: Sequence[str]) -> list[str]:
    """Keep, in order, the commits that no other one contains."""
    output = git.run(["merge-base", "--independent", *commits], git_dir=ledger.git_dir)
    kept = set(git.line(output).splitlines())
    return [commit for commit in dict.fromkeys(commits) if commit in kept]


def merged_tree(ledger: Ledger, ours: str, theirs: str) -> str | Conflict:
    """Return the tree that two commits come to, or why they come to none."""
    order = ["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs]
    answer = git.ask(order, git_dir=ledger.git_dir)
    if answer.exit_code > 1:
        raise git.failure(order, answer)
    tree, *files = git.listed(answer.stdout)
    if answer.exit_code == 0:
        return tree
    return Conflict(files=tuple(files), tree=tree)
