"""What of a dispatch can be landed: which tasks, as which commit, since which base."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kimi_mcp.dispatch.recovery.reconcile import reconcile
from kimi_mcp.dispatch.repositories import prefix_of, repository_of
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import Refused
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.landings import How, Landing
from kimi_mcp.history.records import Dispatch, Task
from kimi_mcp.lifecycle import TaskState
from kimi_mcp.quoting.quotes import named, quoted
from kimi_mcp.reading import shown
from kimi_mcp.workspace.clone import Ledger
from kimi_mcp.workspace.draft import NAMED_FILES
from kimi_mcp.workspace.holdings import exists
from kimi_mcp.workspace.merge import Conflict
from kimi_mcp.workspace.objects import is_ancestor
from kimi_mcp.workspace.publish import branch_name
from kimi_mcp.workspace.repository import Repository
from kimi_mcp.workspace.threeway import planted_commit, threeway

SHORT = 10  # digits of a commit, for people
_COMMIT = re.compile(r"[0-9a-f]{4,64}")
TITLE_CHARS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Landable:
    """Work that can be landed."""

    dispatch: Dispatch
    repository: Repository
    tasks: tuple[Task, ...]
    """By number; with what they depend on."""
    pulled_in: tuple[int, ...]
    """Those that nobody asked for and others depend on."""
    left_out: tuple[Task, ...]
    tips: tuple[str, ...]
    """The commits that together hold all of it."""
    commit: str
    """One commit that holds all of it, for its tree: the tip, or one that nothing refers to."""
    name: str
    """How git knows it."""
    landings: tuple[Landing, ...]

    @property
    def is_whole(self) -> bool:
        """Whether it is all that the dispatch has delivered."""
        return not any(task.state is TaskState.DELIVERED for task in self.left_out)

    @property
    def numbers(self) -> tuple[int, ...]:
        """The tasks' numbers."""
        return tuple(task.number for task in self.tasks)

    @property
    def prefix(self) -> str:
        """What the dispatch's branches begin with."""
        return prefix_of(self.dispatch)


def at_rest(bench: Workbench, dispatch: DispatchId) -> Dispatch:
    """Look up a dispatch that is over.

    Raises:
        Refused: it is not.
    """
    reconcile(bench)
    found = bench.history.dispatch(dispatch)
    if not found.state.is_terminal:
        raise Refused(
            f"{dispatch} is still running. Wait for it (get_result wait_s=300) or cancel it first."
        )
    return found


def landable(
    bench: Workbench, dispatch: DispatchId, *, tasks: tuple[int, ...] | None, head: str | None
) -> Landable:
    """Find what a landing of *tasks*, else of all that was delivered, would bring.

    *head* is the commit that was reviewed.

    Raises:
        Refused: there is nothing, not all of it was delivered, or another commit was reviewed.
    """
    found = at_rest(bench, dispatch)
    repository = repository_of(found)
    rows = {task.number: task for task in bench.history.tasks(dispatch)}
    delivered = {n: task for n, task in rows.items() if task.state is TaskState.DELIVERED}
    if not delivered:
        raise Refused(
            f"{dispatch} has delivered nothing that could be landed. get_result tells why."
        )
    wanted = {number: bench.history.task(dispatch, number) for number in tasks or delivered}
    chosen = _with_dependencies(wanted, rows)
    _check_delivered(chosen.values())
    left_out = tuple(task for number, task in rows.items() if number not in chosen)
    is_whole = not any(task.number in delivered for task in left_out)
    tips = (_merged(found, repository, delivered),) if is_whole else _tips(repository, chosen)
    commit, name = _as_one(found, repository, tips, chosen, is_whole=is_whole)
    _check_head(head, commit, chosen, found, is_whole=is_whole)
    return Landable(
        dispatch=found,
        repository=repository,
        tasks=tuple(chosen[number] for number in sorted(chosen)),
        pulled_in=tuple(sorted(chosen.keys() - wanted.keys())),
        left_out=left_out,
        tips=tips,
        commit=commit,
        name=name,
        landings=bench.history.landings(dispatch),
    )


def landed_before(found: Iterable[Landing], commit: str) -> Landing | None:
    """Give the landing by which *commit* came onto a branch, the newest if there are several."""
    ways = {How.SQUASH, How.MERGE}
    return next((one for one in reversed([*found]) if one.head == commit and one.how in ways), None)


def _with_dependencies(wanted: Mapping[int, Task], rows: Mapping[int, Task]) -> dict[int, Task]:
    chosen: dict[int, Task] = {}
    open_ = [*wanted.values()]
    while open_:
        task = open_.pop()
        if task.number not in chosen:
            chosen[task.number] = task
            open_ += [rows[number] for number in task.depends_on if number in rows]
    return chosen


def _check_delivered(tasks: Iterable[Task]) -> None:
    for task in tasks:
        if task.state is not TaskState.DELIVERED:
            raise Refused(
                f"Task {task.number} ({quoted(task.title, limit=TITLE_CHARS)}) was not delivered "
                f"({task.outcome or task.state}). Nothing was changed. Revise it, or name others "
                "with tasks."
            )


def _merged(found: Dispatch, repository: Repository, delivered: Mapping[int, Task]) -> str:
    """Give the merged commit, if it holds every delivered task as it is now."""
    merged = found.merged_commit
    if merged is None:
        raise Refused(
            f"{found.id} has no merged branch. {found.note or ''} Land single tasks with tasks."
        )
    _check_exists(repository, merged, found)
    ledger = Ledger(repository.common_dir)
    for task in delivered.values():
        if task.commit_id is None or not is_ancestor(ledger, task.commit_id, merged):
            raise Refused(
                f"The merged branch of {found.id} is older than task {task.number}. "
                f"{found.note or ''} Revise it until they merge, or land single tasks with tasks."
            )
    return merged


def _tips(repository: Repository, chosen: Mapping[int, Task]) -> tuple[str, ...]:
    """Give the tasks' commits that no other one of them contains."""
    ledger = Ledger(repository.common_dir)
    commits = [task.commit_id for _, task in sorted(chosen.items()) if task.commit_id is not None]
    return tuple(
        one
        for one in dict.fromkeys(commits)
        if not any(other != one and is_ancestor(ledger, one, other) for other in commits)
    )


def _as_one(
    found: Dispatch,
    repository: Repository,
    tips: tuple[str, ...],
    chosen: Mapping[int, Task],
    *,
    is_whole: bool,
) -> tuple[str, str]:
    """Give one commit for all of it, and the name that git knows for it."""
    prefix = prefix_of(found)
    for tip in tips:
        _check_exists(repository, tip, found)
    if is_whole:
        return tips[0], branch_name(prefix, found.id, None)
    if len(tips) == 1:
        number = next(n for n, task in chosen.items() if task.commit_id == tips[0])
        return tips[0], branch_name(prefix, found.id, number)
    git_dir = repository.common_dir
    tree = found.base_commit
    for tip in tips:
        put_together = threeway(git_dir, base=found.base_commit, ours=tree, theirs=tip)
        if isinstance(put_together, Conflict):
            raise Refused(
                f"These tasks conflict in {named(put_together.files, most=NAMED_FILES)}. "
                "Nothing was changed. Land them one after the other, or revise one of them."
            )
        tree = put_together
    commit = planted_commit(git_dir, tree, parents=tips)
    return commit, commit[:SHORT]


def _check_exists(repository: Repository, commit: str, found: Dispatch) -> None:
    if not exists(repository.common_dir, commit):
        raise Refused(
            f"Commit {commit[:SHORT]} of {found.id} is no longer in {repository.root}: its "
            "branches were removed and git has cleaned up. The history keeps the id only."
        )


def _check_head(
    head: str | None,
    commit: str,
    chosen: Mapping[int, Task],
    found: Dispatch,
    *,
    is_whole: bool,
) -> None:
    if head is None:
        return
    if _COMMIT.fullmatch(head) is None:
        raise Refused(
            f"head is a commit's first digits like {commit[:SHORT]}, not {shown(head)!r}."
        )
    reviewed = [commit] if is_whole else [commit, *filter(None, [found.merged_commit])]
    if not any(one.startswith(head) for one in reviewed):
        what = "all tasks" if is_whole else f"task {', '.join(map(str, sorted(chosen)))}"
        raise Refused(
            f"{shown(head)} was reviewed, but {what} of {found.id} is at {commit[:SHORT]} now. "
            "Nothing was changed. Look at the diff, then retry with "
            f"head={commit[:SHORT]}."
        )
