"""What earlier attempts at a task have left, found again by a new runner."""

from collections.abc import Sequence
from functools import partial

from kimi_mcp.dispatch.running.assignment import allowed
from kimi_mcp.dispatch.running.work import Earlier
from kimi_mcp.history.history import History
from kimi_mcp.history.records import Attempt, Change
from kimi_mcp.history.records import Task as TaskRow
from kimi_mcp.spec.model import Task
from kimi_mcp.state import TaskFolder
from kimi_mcp.workspace.clone import Ledger
from kimi_mcp.workspace.commit import commit_work
from kimi_mcp.workspace.publish import keep_attempt
from kimi_mcp.workspace.repository import Repository
from kimi_mcp.workspace.scope import exact_paths


def found_earlier(
    history: History,
    row: TaskRow,
    task: Task,
    *,
    repository: Repository,
    ledger: Ledger,
    folder: TaskFolder,
) -> tuple[str, Earlier] | None:
    """Return the base of the task's attempts and what they have left; nothing for a first one.

    The work of an attempt whose runner was killed lies in its clone only; it is committed first,
    under that attempt's ref, so that it is kept whatever the next attempt does to it.
    """
    attempts = history.attempts(row.dispatch, row.number)
    if not attempts:
        return None
    newest = attempts[-1]
    base = newest.base_commit
    commit = _newest_commit(attempts) or base
    if newest.commit_id is None and folder.prepared.is_file() and folder.clone.is_dir():
        left = commit_work(
            ledger,
            clone=folder.clone,
            index=folder.index,
            base=base,
            parent=commit,
            named=exact_paths(allowed(task)),
            message=f"{task.title}\n\nKimi-Dispatch: {row.dispatch}\nKimi-Task: {row.number}\n"
            f"Kimi-Attempt: {newest.attempt} (unfinished)\n",
        )
        if left.commit != commit:
            commit = left.commit
            keep = partial(keep_attempt, repository, ledger, dispatch_id=row.dispatch)
            ref = keep(task=row.number, attempt=newest.attempt, commit=commit)
            history.keep_lost_attempt(
                row.dispatch, row.number, newest.attempt, commit_id=commit, ref=ref
            )
    return base, Earlier(
        commit=commit,
        session_id=newest.session_id or _last_session(attempts),
        is_reconciled=base != attempts[0].base_commit,
    )


def delivered_changes(history: History, row: TaskRow) -> tuple[Change, ...]:
    """Return what the delivered attempt of a task changed."""
    number = history.delivering(row)
    return () if number is None else history.changes(row.dispatch, row.number, number)


def _newest_commit(attempts: Sequence[Attempt]) -> str | None:
    return next((a.commit_id for a in reversed(attempts) if a.commit_id is not None), None)


def _last_session(attempts: Sequence[Attempt]) -> str | None:
    return next((a.session_id for a in reversed(attempts) if a.session_id is not None), None)
