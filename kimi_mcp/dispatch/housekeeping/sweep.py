"""Clones of dispatches that are over: what they are worth, and their removal. No git, no settings.

A clone holds nothing of its own once all that Kimi did in it has become a commit: the runner's
event says so. What lies in submodules no commit of the repository can hold.
"""

import os
import shutil
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

from kimi_mcp.dispatch.events import Committed, decode
from kimi_mcp.dispatch.housekeeping.packing import pack
from kimi_mcp.dispatch.recovery import lifeline
from kimi_mcp.errors import Refused
from kimi_mcp.history.history import History
from kimi_mcp.history.ids import dispatch_id
from kimi_mcp.history.records import Dispatch, Task
from kimi_mcp.state import RunFolder, StateFolder


class Worth(StrEnum):
    """What a ref or a folder of clones is worth."""

    LANDED = "landed"
    EMPTY = "empty"
    UNIQUE = "unique work"
    FOREIGN = "foreign"


def sweep(history: History, state: StateFolder, *, now: datetime, days: int) -> None:
    """Remove the clones of dispatches that have been over for *days*, if nothing is lost by it.

    Of all others that are over, raw output is compressed.
    """
    for folder in state.runs():
        try:
            dispatch = history.dispatch(dispatch_id(folder.root.name))
        except Refused:  # not ours to judge
            continue
        is_due = is_old(dispatch, now=now, days=days)
        if is_due and clones_worth(history, dispatch, ()) is not Worth.UNIQUE:
            remove_clones(history, dispatch, folder)
            continue
        with _at_rest(history, dispatch, folder) as is_at_rest:
            if is_at_rest:
                pack(folder)


def is_old(dispatch: Dispatch, *, now: datetime, days: int) -> bool:
    """Tell whether a dispatch has been over for *days*."""
    ended = datetime.fromisoformat(dispatch.ended_at or dispatch.created_at)
    return now - ended >= timedelta(days=days)


def clones_worth(history: History, dispatch: Dispatch, refs: Iterable[Worth]) -> Worth:
    """Say what the clones of a dispatch are worth, whose *refs* are worth that much."""
    if not dispatch.state.is_terminal:
        return Worth.UNIQUE
    if not all(_is_captured(history, task) for task in history.tasks(dispatch.id)):
        return Worth.UNIQUE
    return Worth.LANDED if {*refs} == {Worth.LANDED} else Worth.EMPTY


def remove_clones(history: History, dispatch: Dispatch, folder: RunFolder) -> bool:
    """Remove the folder of a dispatch that is over; False: somebody is taking it up just now."""
    if not folder.root.is_dir():
        return True
    with _at_rest(history, dispatch, folder) as is_at_rest:
        if is_at_rest:
            _open_up(folder.root)
            shutil.rmtree(folder.root)
    return is_at_rest


@contextmanager
def _at_rest(history: History, dispatch: Dispatch, folder: RunFolder) -> Generator[bool]:
    """Keep runners away from a dispatch that is over; False: it is not, or one is there already."""
    with lifeline.held(folder) as mine:
        yield mine is not None and history.dispatch(dispatch.id).state.is_terminal


def _is_captured(history: History, task: Task) -> bool:
    """Whether all that was done in a task's clone is in commits."""
    attempts = history.attempts(task.dispatch, task.number)
    if not attempts:
        return True
    last = attempts[-1]
    changes = history.changes(task.dispatch, task.number, last.attempt)
    if any("submodule" in (change.stray_reason or "") for change in changes):
        return False
    if last.commit_id is not None or not last.steps:
        return True
    return any(
        event.attempt == last.attempt and isinstance(decode(event.kind, event.payload), Committed)
        for event in history.events(task.dispatch, task=task.number)
    )


def _open_up(folder: Path) -> None:
    """Let us remove what is in it: tools write-protect their caches."""
    for place, folders, _ in os.walk(folder):
        for name in folders:
            inner = Path(place, name)
            if not inner.is_symlink():
                inner.chmod(0o700)
