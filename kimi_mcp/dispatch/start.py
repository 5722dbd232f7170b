"""Starting the detached runner of a dispatch whose rows are queued.

The call returns when the runner has really claimed them: "running" is never a hope. A dispatch
whose runner does not come is written off at once.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import Unready
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.lifecycle import DispatchState
from kimi_mcp.processes.environment import passed_on

CLAIM_BOUND_S = 30.0
CLAIM_POLL_S = 0.005
KIMI_PREFIX = "KIMI_"  # Kimi's own variables and ours; everything else needs the allow list

T = TypeVar("T")


def start_runner(
    bench: Workbench, dispatch: DispatchId, *, meanwhile: Callable[[], T] = lambda: None
) -> T:
    """Start the runner and wait until it has claimed the dispatch; do *meanwhile* as it starts.

    Raises:
        Unready: it did not start; the dispatch is written off.
    """
    runner = _spawn(bench, dispatch)
    try:
        result = meanwhile()
        _await_claim(bench, dispatch, runner)
    except BaseException:
        bench.history.lose(
            dispatch,
            source=DispatchState.QUEUED,
            at=bench.stamp(),
            note="The runner never started.",
        )
        raise
    return result


def _spawn(bench: Workbench, dispatch: DispatchId) -> subprocess.Popen[bytes]:
    run = bench.state.run(dispatch)
    run.root.mkdir(parents=True, exist_ok=True, mode=0o700)
    kimis = {name: value for name, value in bench.environ.items() if name.startswith(KIMI_PREFIX)}
    with run.log.open("ab") as log:
        runner = subprocess.Popen(
            # -P: a repository's own sqlite3.py must not become part of the runner
            [sys.executable, "-P", "-m", "kimi_mcp.dispatch.runner", dispatch],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=bench.state.root,
            env={**passed_on(bench.environ), **kimis, "KIMI_MCP_HOME": str(bench.state.root)},
            start_new_session=True,
        )
    # nobody may wait for it, but a child that ended must not stay a zombie of a long-lived server
    threading.Thread(target=runner.wait, daemon=True, name=f"reaper of {dispatch}").start()
    return runner


def _await_claim(bench: Workbench, dispatch: DispatchId, runner: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + CLAIM_BOUND_S
    while bench.history.dispatch(dispatch).state is DispatchState.QUEUED:
        if runner.returncode is not None or time.monotonic() > deadline:
            log = bench.state.run(dispatch).log
            raise Unready(f"The runner of {dispatch} did not start; its last words are in {log}.")
        time.sleep(CLAIM_POLL_S)
