"""What the user's repository holds of dispatches: branches, and refs that no picker shows.

They go only by compare-and-set, all or none, and only what is somewhere else already goes without
the user's word: `is_within` is the proof.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kimi_mcp.errors import Refused
from kimi_mcp.workspace import git
from kimi_mcp.workspace.clone import Ledger
from kimi_mcp.workspace.objects import is_ancestor
from kimi_mcp.workspace.repository import Repository
from kimi_mcp.workspace.threeway import threeway, tree_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One ref and where it points."""

    ref: str
    commit: str
    checkout: str
    """The folder where it is checked out; empty: nowhere."""

    @property
    def is_branch(self) -> bool:
        """Whether people see it among their branches."""
        return self.ref.startswith("refs/heads/")


def holdings(repository: Repository, prefix: str, dispatch_id: str = "") -> tuple[Holding, ...]:
    """List what is held of one dispatch, or of all; *prefix* is that of the branches."""
    beneath = f"/{dispatch_id}/" if dispatch_id else "/"
    output = git.run(
        [
            "for-each-ref",
            "--format=%(refname)%00%(objectname)%00%(worktreepath)",
            f"refs/heads/{prefix}{beneath}",
            f"refs/kimi{beneath}",
        ],
        git_dir=repository.common_dir,
    )
    lines = (line.split("\0") for line in git.line(output).split("\n") if line)
    return tuple(Holding(ref=ref, commit=commit, checkout=place) for ref, commit, place in lines)


def exists(git_dir: Path, commit: str) -> bool:
    """Tell whether a commit is in the repository, whatever refers to it."""
    question = ["cat-file", "-e", f"{commit}^{{commit}}"]
    return git_dir.is_dir() and git.ask(question, git_dir=git_dir).exit_code == 0


def is_within(repository: Repository, head: str, *, base: str, commit: str) -> bool:
    """Tell whether *head* has all that *commit* changed since *base*: as history, or as content."""
    if is_ancestor(Ledger(repository.common_dir), commit, head):
        return True
    put_together = threeway(repository.common_dir, base=base, ours=head, theirs=commit)
    return put_together == tree_id(repository.common_dir, head)


def remove(repository: Repository, wanted: Iterable[Holding]) -> None:
    """Remove refs, each only if it still points where it did.

    Raises:
        Refused: a branch is checked out, or a ref has moved; nothing was removed.
    """
    wanted = list(wanted)
    for holding in wanted:
        if holding.checkout:
            short = holding.ref.removeprefix("refs/heads/")
            raise Refused(
                f"Branch {short} is checked out in {holding.checkout}. Nothing was removed. "
                "Check another branch out there first."
            )
    orders = "".join(f"delete {holding.ref}\0{holding.commit}\0" for holding in wanted)
    order = ["update-ref", "-z", "--stdin"]
    answer = git.ask(order, git_dir=repository.common_dir, stdin=orders.encode())
    if answer.exit_code != 0:
        raise Refused(
            "A ref of this dispatch has moved just now. Nothing was removed. Look at it, then "
            f"retry. Git said: {answer.stderr.strip()[:200]}"
        )
