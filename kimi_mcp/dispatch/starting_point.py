"""Which commit a dispatch begins from, and what of the user's is uncommitted and named by its spec.

Without a wish it begins from HEAD, and only when none of the files that the spec names has
uncommitted changes: Kimi would work on versions that the user has left behind. `HEAD` and
`WORKTREE` say which of the two is meant.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kimi_mcp import globs
from kimi_mcp.quoting.quotes import named
from kimi_mcp.spec.model import Task
from kimi_mcp.workspace.checkout import branch_head
from kimi_mcp.workspace.repository import Repository, dirty_files, resolve
from kimi_mcp.workspace.snapshot import snapshot

WORKTREE = "WORKTREE"
NAMED_FILES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class StartingPoint:
    """The commit where a dispatch begins, and what of the user's files it does not hold."""

    base: str
    branch: str | None
    """The branch that it is landed on; None: the base was no branch."""
    snapshot_of: str | None
    """The commit upon which the base holds uncommitted files; None: it holds none."""
    uncommitted: tuple[str, ...]
    """Files that the spec names and whose uncommitted changes the base does not hold."""
    obstacles: tuple[str, ...]


def starting_point(
    repository: Repository, wish: str | None, tasks: Iterable[Task]
) -> StartingPoint:
    """Find the commit that *wish* names (None: HEAD; `WORKTREE`: the files as they are now).

    Raises:
        Refused: there is no such commit, or a merge or the like is under way in the work tree.
    """
    if wish == WORKTREE:
        base = snapshot(repository)
        return StartingPoint(
            base=base,
            branch=repository.branch,
            snapshot_of=None if base == repository.head else repository.head,
            uncommitted=(),
            obstacles=(),
        )
    uncommitted = _uncommitted(repository, tasks)
    return StartingPoint(
        base=resolve(repository, wish or "HEAD"),
        branch=_branch(repository, wish),
        snapshot_of=None,
        uncommitted=uncommitted,
        obstacles=(_obstacle(uncommitted),) if uncommitted and wish is None else (),
    )


def _branch(repository: Repository, wish: str | None) -> str | None:
    if wish is None or wish == "HEAD":
        return repository.branch
    is_branch = not wish.startswith("-") and branch_head(repository, wish) is not None
    return wish if is_branch else None


def _uncommitted(repository: Repository, tasks: Iterable[Task]) -> tuple[str, ...]:
    patterns = {
        path
        for task in tasks
        for entry in task.files
        for path in (entry.path, entry.target)
        if path is not None
    }
    return tuple(
        path
        for path in dirty_files(repository)
        if any(globs.matches(pattern, path) for pattern in patterns)
    )


def _obstacle(uncommitted: tuple[str, ...]) -> str:
    return (
        f"the spec names files with uncommitted changes: {named(uncommitted, most=NAMED_FILES)}. "
        "Commit them, or choose: base=HEAD (Kimi works on the committed versions) or "
        "base=WORKTREE (on a snapshot of your files)"
    )
