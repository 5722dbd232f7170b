"""What lies in a task's clone, as a commit and as changes judged by the task's file list."""

from collections.abc import Iterator

from kimi_mcp.dispatch.running.assignment import allowed
from kimi_mcp.dispatch.running.work import TaskWork
from kimi_mcp.history.records import Change
from kimi_mcp.kimi.outcome import RunEnd
from kimi_mcp.workspace.commit import Attempt, commit_work
from kimi_mcp.workspace.nature import nature
from kimi_mcp.workspace.restore import restore
from kimi_mcp.workspace.scope import IN_SUBMODULE, exact_paths, strays


def made_by_setup(work: TaskWork, *, since: str) -> list[str]:
    """Name the files that git keeps and that setup has changed since the commit it ran on."""
    return [change.path for change in _store(work, "Setup", since=since, parent=since).changes]


def drop(work: TaskWork) -> None:
    """Take the files that the reviewer does not want out of the work: as the base has them."""
    restore(
        work.ledger,
        work.base,
        work.drop_files,
        clone=work.folder.clone,
        index=work.folder.index,
    )


def harvest(work: TaskWork, end: RunEnd) -> Attempt:
    """Commit what the clone holds; the message says whether Kimi ended properly.

    Raises:
        KimiMcpError: it cannot be stored; the clone still holds it.
    """
    return _store(
        work,
        message(work, is_complete=end.outcome is None and not end.is_cancelled),
        since=work.base,
        parent=work.parent,
    )


def message(work: TaskWork, *, is_complete: bool) -> str:
    """Word the commit of an attempt: the task's title, and trailers that name its origin."""
    state = "complete" if is_complete else "unfinished"
    return (
        f"{work.task.title}\n\n"
        f"Kimi-Version: {work.orders.kimi_version}\n"
        f"Kimi-Dispatch: {work.dispatch}\n"
        f"Kimi-Task: {work.task.number}\n"
        f"Kimi-Attempt: {work.attempt} ({state})\n"
    )


def _store(work: TaskWork, message: str, *, since: str, parent: str) -> Attempt:
    return commit_work(
        work.ledger,
        clone=work.folder.clone,
        index=work.folder.index,
        base=since,
        parent=parent,
        named=exact_paths(allowed(work.task)),
        message=message,
    )


def judged_changes(work: TaskWork, left: Attempt) -> tuple[Change, ...]:
    """Return what changed, each with the reason why the task does not allow it, if so."""
    reasons = {stray.path: stray.reason for stray in strays(left.changes, allowed(work.task))}
    changed = [
        Change(
            path=change.path,
            status=change.status,
            added=change.added,
            deleted=change.deleted,
            stray_reason=reasons.get(change.path),
            nature=nature(change),
        )
        for change in left.changes
    ]
    inside = [
        Change(
            path=path,
            status="M",
            added=None,
            deleted=None,
            stray_reason=IN_SUBMODULE,
        )
        for path in left.in_submodules
    ]
    return (*changed, *inside, *_nobodys(work))


def _nobodys(work: TaskWork) -> Iterator[Change]:
    """Tell of what a wave changed for none of its tasks: it makes all of them out of scope."""
    for path in work.share.nobodys if work.share else ():
        yield Change(
            path=path,
            status="M",
            added=None,
            deleted=None,
            stray_reason="changed by the wave; no task lists it, and none of the agents is known "
            "to have written it",
        )
