"""Putting right what a runner has left that died, so that the dispatch can be taken up again.

By rule, whatever it was doing: its processes are ended, keys and half-written files go, a branch
that it moved without a record goes back, an attempt's commit without a record is recorded, and the
journals of its Kimis are charged. Only for who holds the lifeline.
"""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from kimi_mcp.dispatch.events import Ended, encode
from kimi_mcp.dispatch.recovery.settling import settle
from kimi_mcp.dispatch.repositories import prefix_of, repository_of
from kimi_mcp.errors import GitFailed, Refused
from kimi_mcp.history.history import History
from kimi_mcp.history.records import Dispatch, Task
from kimi_mcp.kimi import home
from kimi_mcp.lifecycle import TaskState
from kimi_mcp.processes.strays import end_strays
from kimi_mcp.state import RunFolder, TaskFolder
from kimi_mcp.workspace.clone import HALF_MADE
from kimi_mcp.workspace.holdings import Holding, holdings
from kimi_mcp.workspace.publish import branch_name, drop_locks, is_merge_of, move_back
from kimi_mcp.workspace.repository import Repository

LOST = "The runner died."


def write_off(history: History, dispatch: Dispatch, run: RunFolder, *, at: str, why: str) -> None:
    """Put right what is left of a dispatch that has no runner, and write it off as lost.

    *why* is a sentence; where the work lies is added to it.
    """
    end_strays(run.root)
    for folder in _task_folders(run):
        with suppress(OSError):
            home.forget_secrets(folder.home)
    for half_made in _half_made(run):
        shutil.rmtree(half_made, ignore_errors=True)
    unlock(dispatch, run)
    if (repository := _repository(dispatch)) is not None:
        with suppress(GitFailed):  # a repository that git cannot read must not hide the dispatch
            _put_right(history, dispatch, repository)
    settle(history, dispatch, run, at=at)
    history.lose(
        dispatch.id,
        source=dispatch.state,
        at=at,
        note=f"{why} {_whereabouts(history, dispatch, run)}",
        told=encode(
            Ended(
                outcome=None,
                is_cancelled=False,
                is_checked=False,
                commit=None,
                sentence=why,
                is_lost=True,
            )
        ),
    )


def unlock(dispatch: Dispatch, run: RunFolder) -> None:
    """Remove the locks that killed gits have left where only this dispatch works."""
    for lock in (*run.git.rglob("*.lock"), *run.root.glob("task-*/index.lock")):
        lock.unlink(missing_ok=True)
    if (repository := _repository(dispatch)) is not None:
        drop_locks(repository, prefix_of(dispatch), dispatch.id)


def _repository(dispatch: Dispatch) -> Repository | None:
    try:
        return repository_of(dispatch)
    except Refused:  # gone, moved or another one by now
        return None


def _task_folders(run: RunFolder) -> list[TaskFolder]:
    return [TaskFolder(folder) for folder in sorted(run.root.glob("task-*"))]


def _half_made(run: RunFolder) -> Iterator[Path]:
    for pattern in HALF_MADE:
        yield from run.root.glob(pattern)
        yield from run.git.glob(pattern)
        yield from run.root.glob(f"task-*/{pattern}")


def _put_right(history: History, dispatch: Dispatch, repository: Repository) -> None:
    prefix = prefix_of(dispatch)
    held = {one.ref: one for one in holdings(repository, prefix, dispatch.id)}
    for task in history.tasks(dispatch.id):
        _adopt(history, task, held)
    attempts = {
        attempt.commit_id
        for task in history.tasks(dispatch.id)
        for attempt in history.attempts(dispatch.id, task.number)
    }
    known = {
        f"refs/heads/{branch_name(prefix, dispatch.id, task.number)}": task.commit_id
        for task in history.tasks(dispatch.id)
    }
    known[f"refs/heads/{branch_name(prefix, dispatch.id, None)}"] = dispatch.merged_commit
    for ref, commit in known.items():
        now = held.get(ref)
        if now is None or now.commit == commit:
            continue
        if now.commit in attempts or is_merge_of(repository, now.commit, dispatch.id):
            move_back(repository, now, commit)


def _adopt(history: History, task: Task, held: dict[str, Holding]) -> None:
    """Record the commit of an attempt whose runner died before it could."""
    for attempt in history.attempts(task.dispatch, task.number):
        ref = f"refs/kimi/{task.dispatch}/task-{task.number}.a{attempt.attempt}"
        if attempt.commit_id is None and ref in held:
            history.keep_lost_attempt(
                task.dispatch, task.number, attempt.attempt, commit_id=held[ref].commit, ref=ref
            )


def _whereabouts(history: History, dispatch: Dispatch, run: RunFolder) -> str:
    places = [
        _whereabouts_of(history, task, run)
        for task in history.tasks(dispatch.id)
        if task.state in {TaskState.RUNNING, TaskState.CHECKING}
    ]
    return " ".join(places or ["No task was running."])


def _whereabouts_of(history: History, task: Task, run: RunFolder) -> str:
    attempts = history.attempts(task.dispatch, task.number)
    steps = attempts[-1].steps if attempts else 0
    if attempts and attempts[-1].ended_at is None and attempts[-1].node is not None:
        return (
            f"Task {task.number} was at step {steps} on {attempts[-1].node}, and goes on there; "
            "resume takes up what it has told since."
        )
    held = f"Task {task.number} was at step {steps}; its work is in "
    if attempts and attempts[-1].ref is not None:
        return f"{held}{attempts[-1].ref}."
    return f"{held}{run.task(task.number).clone}."
