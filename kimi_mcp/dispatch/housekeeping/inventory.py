"""What is left of a dispatch in the repository and on the disk, and what each piece is worth.

Nothing here removes anything. *Landed* and *empty* are proved, by reachability or content; what is
not proved is *unique work*; what the history does not know is *foreign*.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kimi_mcp.dispatch.housekeeping.sweep import Worth, clones_worth
from kimi_mcp.dispatch.repositories import prefix_of
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.records import Dispatch
from kimi_mcp.workspace.checkout import branch_head
from kimi_mcp.workspace.clone import Ledger
from kimi_mcp.workspace.holdings import Holding, is_within
from kimi_mcp.workspace.objects import is_ancestor
from kimi_mcp.workspace.publish import branch_name
from kimi_mcp.workspace.repository import Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """All that is left of one dispatch."""

    dispatch: Dispatch
    refs: dict[Holding, Worth]
    pin: Holding | None
    """The ref that keeps git from tidying the base away, which clones borrow from."""
    clones: Path | None
    """The folder of the dispatch; None: it is gone."""
    clones_worth: Worth

    @property
    def provable(self) -> list[Holding]:
        """The refs that can go without any loss."""
        return [ref for ref, worth in self.refs.items() if worth in {Worth.LANDED, Worth.EMPTY}]

    @property
    def remaining(self) -> list[Holding]:
        """The refs with work that is nowhere else, or that somebody else has moved."""
        return [ref for ref in self.refs if ref not in self.provable]


def inventory(
    bench: Workbench, dispatch: Dispatch, repository: Repository | None, held: Iterable[Holding]
) -> Inventory:
    """Look at what is left of *dispatch*; *held* are the refs of its *repository*, if that exists.

    Of a live dispatch everything is unique work.
    """
    known = _known_commits(bench, dispatch)
    pin_name = f"refs/kimi/{dispatch.id}/base"
    refs: dict[Holding, Worth] = {}
    pin: Holding | None = None
    for holding in held:
        if holding.ref == pin_name:
            pin = holding
        elif _is_known(holding, known):
            refs[holding] = Worth.UNIQUE
        else:
            # a branch that somebody moved, and the user's own versions, are theirs
            is_theirs = holding.ref.startswith(f"refs/kimi/{dispatch.id}/yours-")
            refs[holding] = Worth.UNIQUE if is_theirs else Worth.FOREIGN
    if repository is not None and dispatch.state.is_terminal:
        refs = _proved(dispatch, repository, refs, known)
    folder = bench.state.run(dispatch.id).root
    return Inventory(
        dispatch=dispatch,
        refs=refs,
        pin=pin,
        clones=folder if folder.is_dir() else None,
        clones_worth=clones_worth(bench.history, dispatch, refs.values()),
    )


def _known_commits(bench: Workbench, dispatch: Dispatch) -> dict[str, str]:
    """Say where each ref of ours was when it was last written."""
    prefix = prefix_of(dispatch)
    known: dict[str, str | None] = {
        f"refs/heads/{branch_name(prefix, dispatch.id, None)}": dispatch.merged_commit
    }
    for task in bench.history.tasks(dispatch.id):
        known[f"refs/heads/{branch_name(prefix, dispatch.id, task.number)}"] = task.commit_id
        for attempt in bench.history.attempts(dispatch.id, task.number):
            if attempt.ref is not None:
                known[attempt.ref] = attempt.commit_id
    return {ref: commit for ref, commit in known.items() if commit is not None}


def _proved(
    dispatch: Dispatch,
    repository: Repository,
    refs: dict[Holding, Worth],
    known: dict[str, str],
) -> dict[Holding, Worth]:
    """Find out which of our refs hold nothing, or nothing that a branch of the user's lacks."""
    ledger, base = Ledger(repository.common_dir), dispatch.base_commit
    branch = dispatch.base_branch
    heads = {repository.head, branch and branch_head(repository, branch)}
    ours = {holding.commit for holding in refs if _is_known(holding, known)}
    worth: dict[str, Worth] = {}
    for commit in ours:
        if is_ancestor(ledger, commit, base):
            worth[commit] = Worth.EMPTY
        elif any(head and is_within(repository, head, base=base, commit=commit) for head in heads):
            worth[commit] = Worth.LANDED
    landed = [commit for commit, found in worth.items() if found is Worth.LANDED]
    for commit in ours - worth.keys():  # an earlier attempt, upon which the landed one was made
        if any(is_ancestor(ledger, commit, later) for later in landed):
            worth[commit] = Worth.LANDED
    return {
        holding: worth.get(holding.commit, found) if _is_known(holding, known) else found
        for holding, found in refs.items()
    }


def _is_known(holding: Holding, known: dict[str, str]) -> bool:
    return known.get(holding.ref) == holding.commit
