"""The detached process that carries one dispatch out.

`python -P -m kimi_mcp.dispatch.runner ID`, in a session of its own: it outlives the server that
started it. It holds the lifeline lock as long as it lives, imports all that it needs at the start
(an upgrade must not change it midway), and is the only writer of its dispatch's states and events.
"""

import os
import sys
import traceback
from datetime import UTC, datetime

import anyio
from filelock import FileLock

from kimi_mcp.dispatch.run import Run
from kimi_mcp.history.history import History
from kimi_mcp.history.ids import DispatchId, dispatch_id
from kimi_mcp.history.times import timestamp
from kimi_mcp.lifecycle import DispatchState
from kimi_mcp.processes.orphans import adopt_orphans
from kimi_mcp.state import RunFolder, StateFolder

LIFELINE_WAIT_S = 10.0  # a reader may be looking at the lock just now


def main() -> None:
    """Take the lifeline, claim the dispatch, carry it out."""
    state = StateFolder.locate()
    dispatch = dispatch_id(sys.argv[1])
    folder = state.run(dispatch)
    adopt_orphans()
    with FileLock(folder.lifeline, timeout=LIFELINE_WAIT_S, mode=0o600):
        history = History.open(state.history_db)
        if history.claim(dispatch, at=_now(), runner_pid=os.getpid()):
            _carry_out(history, dispatch, folder)


def _carry_out(history: History, dispatch: DispatchId, folder: RunFolder) -> None:
    try:
        anyio.run(Run(history, dispatch, folder=folder, host=os.environ, clock=_now).carry_out)
    except Exception:  # noqa: BLE001  the outermost handler: a bug of ours must leave a true record
        traceback.print_exc()
        history.lose(
            dispatch,
            source=DispatchState.RUNNING,
            at=_now(),
            note=f"An error in kimi-mcp ended the run; see {folder.log}. The work done so far is "
            f"in {folder.root}.",
        )


def _now() -> str:
    return timestamp(datetime.now(UTC))


if __name__ == "__main__":
    main()
