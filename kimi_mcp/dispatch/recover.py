"""Telling the dead from the living.

A runner holds its lifeline lock as long as it lives, and the kernel drops the lock when it dies. So
a dispatch that the history calls live and whose lifeline is free has lost its runner; nothing else
is ever taken for a death. Called before every list and when a follower sees no news.
"""

from datetime import datetime, timedelta

from filelock import FileLock, Timeout

from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.records import Dispatch, Task
from kimi_mcp.lifecycle import DispatchState, TaskState
from kimi_mcp.state import RunFolder

START_BOUND = timedelta(seconds=30)  # a queued dispatch may wait that long for its runner


def reconcile(bench: Workbench) -> None:
    """Write every dispatch whose runner is dead off as lost, naming where its work lies."""
    for dispatch in bench.history.live():
        _reconcile_one(bench, dispatch)


def holds_lifeline(run: RunFolder) -> bool:
    """Tell whether a runner of this dispatch is alive."""
    if not run.lifeline.exists():
        return False
    try:
        with FileLock(run.lifeline, timeout=0, mode=0o600):
            return False
    except Timeout:
        return True


def _reconcile_one(bench: Workbench, dispatch: Dispatch) -> None:
    if dispatch.state is DispatchState.QUEUED and _is_starting(bench, dispatch):
        return
    if holds_lifeline(bench.state.run(dispatch.id)):
        return
    # a runner writes its last state before it lets go: only who is still live now is lost
    state = bench.history.dispatch(dispatch.id).state
    if not state.is_terminal:
        note = _whereabouts(bench, dispatch)
        bench.history.lose(dispatch.id, source=state, at=bench.stamp(), note=note)


def _is_starting(bench: Workbench, dispatch: Dispatch) -> bool:
    return bench.now() - datetime.fromisoformat(dispatch.created_at) < START_BOUND


def _whereabouts(bench: Workbench, dispatch: Dispatch) -> str:
    places = [
        _whereabouts_of(bench, task)
        for task in bench.history.tasks(dispatch.id)
        if task.state in {TaskState.RUNNING, TaskState.CHECKING}
    ]
    return " ".join(["The runner died.", *(places or ["No task was running."])])


def _whereabouts_of(bench: Workbench, task: Task) -> str:
    attempts = bench.history.attempts(task.dispatch, task.number)
    steps = attempts[-1].steps if attempts else 0
    held = f"Task {task.number} was at step {steps}; its work is in "
    if attempts and attempts[-1].ref is not None:
        return f"{held}{attempts[-1].ref}."
    return f"{held}{bench.state.run(task.dispatch).task(task.number).clone}."
