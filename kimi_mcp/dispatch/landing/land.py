"""Landing what a dispatch delivered: into the user's files, onto the base branch, or as a request.

Everything that can be refused is refused before anything changes. What has arrived on a branch
loses the branches of ours that held it, each only when the branch provably has all of it.
"""

from dataclasses import dataclass

from kimi_mcp.dispatch.housekeeping.clean import tidy
from kimi_mcp.dispatch.landing.discard import discard
from kimi_mcp.dispatch.landing.handover import message, record, work_of
from kimi_mcp.dispatch.landing.landable import SHORT, Landable, landable, landed_before
from kimi_mcp.dispatch.landing.pull_request import request
from kimi_mcp.dispatch.recovery.underway import at_work_in
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import Refused
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.landings import How
from kimi_mcp.quoting.quotes import counted, named, quoted
from kimi_mcp.workspace.checkout import branch_head
from kimi_mcp.workspace.clone import Ledger
from kimi_mcp.workspace.draft import NAMED_FILES
from kimi_mcp.workspace.landing import Landed, apply, commit_onto
from kimi_mcp.workspace.objects import is_ancestor
from kimi_mcp.workspace.reroot import reroot

TASK_TITLE_CHARS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class LandWish:
    """What is to become of a dispatch's work."""

    how: How
    tasks: tuple[int, ...] | None = None
    head: str | None = None


def land(bench: Workbench, dispatch: DispatchId, wish: LandWish) -> str:
    """Land, open a request for, or discard what a dispatch has delivered; tell what came of it.

    Raises:
        Refused: something is in the way; nothing was changed, and the sentence says what to do.
    """
    if wish.how is How.DISCARD:
        return discard(bench, dispatch, tasks=wish.tasks)
    found = landable(bench, dispatch, tasks=wish.tasks, head=wish.head)
    if before := _arrived(found):
        return before
    with at_work_in(bench, found.repository.root):
        match wish.how:
            case How.APPLY:
                text = _apply(bench, found)
            case How.PULL_REQUEST:
                text = request(bench, found)
            case _:
                text = _commit(bench, found, wish.how)
    return "\n".join([text, *_remarks(found)])


def _arrived(found: Landable) -> str | None:
    """Say that the very commit came onto a branch before and is still there."""
    before = landed_before(found.landings, found.commit)
    if before is None or before.result is None or before.target is None:
        return None
    head = branch_head(found.repository, before.target)
    if head is None or not is_ancestor(Ledger(found.repository.common_dir), before.result, head):
        return None
    return (
        f"{found.dispatch.id}: landed already, on {before.target} as {before.result[:SHORT]} "
        f"({before.how}, {before.at[:16]}). Nothing was changed."
    )


def _apply(bench: Workbench, found: Landable) -> str:
    checkout = found.repository
    landed = apply(checkout, work_of(found))
    if not landed.files:
        return (
            f"{found.dispatch.id}: {checkout.root} holds all of it already. Nothing was changed. "
            "Next: commit it, if you have not."
        )
    record(bench, found, How.APPLY)
    place = f"{checkout.root} ({checkout.branch or 'detached HEAD'})"
    files = f"{_count(landed)}: {named(landed.files, most=NAMED_FILES)}"
    lines = [f"{found.dispatch.id}: applied to {place}, uncommitted and unstaged, {files}."]
    lines += _kept(landed)
    lines.append(
        "Next: look at it (`git status`, `git diff`), then commit it as your own. "
        "`kimi-mcp clean` removes the branches after that."
    )
    return "\n".join(lines)


def _commit(bench: Workbench, found: Landable, how: How) -> str:
    branch = found.dispatch.base_branch
    if branch is None:
        raise Refused(
            f"{found.dispatch.id} began from commit {found.dispatch.base_commit[:SHORT]}, which "
            "was no branch, so there is none to land on. Nothing was changed. "
            "Land with how=apply, or with how=pull_request."
        )
    work = work_of(found)
    merged = _second_parents(found, branch) if how is How.MERGE else ()
    landed = commit_onto(found.repository, work, branch, message=message(found, how), merged=merged)
    if landed.commit is None:
        return f"{found.dispatch.id}: branch {branch} holds all of it already. Nothing was changed."
    record(bench, found, how, target=branch, result=landed.commit)
    files = f"{_count(landed)}: {named(landed.files, most=NAMED_FILES)}"
    where = f"landed on {branch} as {landed.commit[:SHORT]} ({how})"
    lines = [f"{found.dispatch.id}: {where}, {files}."]
    if landed.by_hooks:
        lines.append(f"Your hooks changed {named(landed.by_hooks, most=NAMED_FILES)} of it.")
    lines += _kept(landed)
    lines.append(_tidied(bench, found))
    return "\n".join(lines)


def _second_parents(found: Landable, branch: str) -> tuple[str, ...]:
    """Give what is merged: never a commit of the user's that the branch lacks, nor a snapshot."""
    dispatch, repository = found.dispatch, found.repository
    base = dispatch.snapshot_of or dispatch.base_commit
    head = branch_head(repository, branch)
    if head is not None and not is_ancestor(Ledger(repository.common_dir), base, head):
        raise Refused(
            f"Branch {branch} does not contain {base[:SHORT]}, from which {dispatch.id} began: a "
            "merge would bring other commits along. Nothing was changed. Land with how=squash."
        )
    if dispatch.snapshot_of is None:
        return found.tips
    return (reroot(repository, work_of(found), onto=base, message=message(found, How.SQUASH)),)


def _remarks(found: Landable) -> list[str]:
    """Say what a reader of the landing must know besides."""
    lines: list[str] = []
    if found.pulled_in:
        lines.append(f"Came along, for others depend on it: {_tasks(found.pulled_in)}.")
    unchecked = [task.number for task in found.tasks if not task.is_checked]
    if unchecked:
        lines.append(f"UNCHECKED, without any command to run: {_tasks(unchecked)}.")
    if len(found.tips) > 1:
        lines.append("Each of these tasks was checked; all of them together were not.")
    if found.left_out:
        left = ", ".join(
            f"{task.number} {quoted(task.title, limit=TASK_TITLE_CHARS)} "
            f"({task.outcome or task.state})"
            for task in found.left_out
        )
        lines.append(f"Not landed: {left}.")
    return lines


def _kept(landed: Landed) -> list[str]:
    if landed.kept is None:
        return []
    said = "It was put together with your uncommitted changes; your version before is kept"
    return [f"{said}: `git show {landed.kept}:PATH`."]


def _tidied(bench: Workbench, found: Landable) -> str:
    """Remove what held the landed work, and say so."""
    before = tidy(bench, found.dispatch)
    branches = sum(holding.is_branch for holding in before.provable)
    said = f"{branches} branch{'' if branches == 1 else 'es'} removed; the history keeps the ids."
    if before.remaining:
        left = before.remaining[0].ref
        more = f" and {len(before.remaining) - 1} more" if len(before.remaining) > 1 else ""
        said += f" {left}{more} stay, for they hold work that was not landed; how=discard removes."
    return said


def _count(landed: Landed) -> str:
    count = len(landed.files)
    return counted(count, "file")


def _tasks(numbers: tuple[int, ...] | list[int]) -> str:
    return f"task{'' if len(numbers) == 1 else 's'} {', '.join(map(str, numbers))}"
