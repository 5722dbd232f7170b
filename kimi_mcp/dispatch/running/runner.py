"""The detached process that carries one dispatch out, and the one that it is forked from.

`python -P -m kimi_mcp.dispatch.running.runner CONTROL` loads all that a runner needs (an upgrade
must not change it midway; and a fork costs milliseconds where loading costs a fifth of a second)
and forks a runner for each socket that it is sent over the socket CONTROL, until that ends.

A runner is in a session of its own and outlives the server that had it started. By its socket it is
told its dispatch, with two descriptors: of the lifeline, which it holds as long as it lives, and of
its log. It closes the socket when it has claimed the dispatch, and is the only writer of that
dispatch's states and events.
"""

import gc
import os
import signal
import socket
import sys
from contextlib import suppress
from datetime import UTC, datetime

import anyio

from kimi_mcp import log
from kimi_mcp.dispatch.housekeeping.retention import retain
from kimi_mcp.dispatch.housekeeping.sweep import sweep
from kimi_mcp.dispatch.orders import Orders
from kimi_mcp.dispatch.recovery.aftermath import unlock, write_off
from kimi_mcp.dispatch.redacting import redactor_of
from kimi_mcp.dispatch.running.run import Run
from kimi_mcp.history.history import History
from kimi_mcp.history.ids import DispatchId, dispatch_id
from kimi_mcp.history.times import timestamp
from kimi_mcp.processes.launching import FORK_SERVER, NotStarted
from kimi_mcp.processes.orphans import adopt_orphans
from kimi_mcp.processes.strays import MARK
from kimi_mcp.spec import front
from kimi_mcp.state import RunFolder, StateFolder
from kimi_mcp.workspace import git

ID_BYTES = 4096
PATIENCE_S = 120.0  # what Kimi has done is not dropped because somebody else writes for long


def main() -> None:
    """Fork runners until nobody can ask for one any more; in each of them, carry a dispatch out."""
    with socket.socket(fileno=int(sys.argv[1])) as control:
        orders = _forked(control)
    if orders is not None:
        run(orders)


def _forked(control: socket.socket) -> socket.socket | None:
    """Return the orders in each runner, and nothing at the end in the process itself."""
    _preload()
    gc.freeze()  # a collection in a fork would copy every page
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # their claims tell how they fare
    while True:
        asked, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not asked:
            return None
        with socket.socket(fileno=descriptors[0]) as orders, suppress(OSError):
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                os.setsid()
                return orders.dup()


def _preload() -> None:
    """Load what else is loaded when it is first needed: by then it may be another version."""
    git.preload()
    front.preload()
    anyio.run(anyio.sleep, 0)  # its backend


def run(orders: socket.socket) -> None:
    """Wait for the orders, take the lifeline, claim the dispatch, carry it out."""
    with orders:
        named, descriptors, _, _ = socket.recv_fds(orders, ID_BYTES, 2)
        if not named:
            return  # nothing came of the call, or its caller died
        lifeline, log_file = descriptors
        for stream in (1, 2):
            os.dup2(log_file, stream)
        os.close(log_file)
        os.set_inheritable(lifeline, False)
        state = StateFolder.locate()
        dispatch = dispatch_id(named.decode())
        folder = state.run(dispatch)
        os.chdir(folder.root)  # its arguments do not tell whose runner it is; its folder does
        os.environ[MARK] = str(folder.root)
        adopt_orphans()
        with suppress(NotStarted):  # the first job will say it
            FORK_SERVER.warm()
        redact = redactor_of(state, os.environ)
        history = History.open(state.history_db, redact=redact, patience_s=PATIENCE_S)
        is_mine = history.claim(dispatch, at=_now(), runner_pid=os.getpid())
    if is_mine:
        _carry_out(history, dispatch, folder)
    os.close(lifeline)
    _sweep(history, dispatch, state)


def _sweep(history: History, dispatch: DispatchId, state: StateFolder) -> None:
    """Remove old clones and old steps, now that nobody waits."""
    orders = Orders.from_json(history.dispatch(dispatch).orders)
    now = datetime.now(UTC)
    sweep(history, state, now=now, days=orders.clones_days)
    retain(history, state, now=now, days=orders.history_days, most_bytes=orders.history_bytes)


def _carry_out(history: History, dispatch: DispatchId, folder: RunFolder) -> None:
    try:
        if folder.git.is_dir():  # not the first runner
            unlock(history.dispatch(dispatch), folder)
        anyio.run(Run(history, dispatch, folder=folder, host=os.environ, clock=_now).carry_out)
    except Exception as error:  # noqa: BLE001  the outermost handler: a bug of ours must leave a true record
        sys.stderr.write(log.told(error))
        why = f"An error in kimi-mcp ended the run; see {folder.log}."
        write_off(history, history.dispatch(dispatch), folder, at=_now(), why=why)


def _now() -> str:
    return timestamp(datetime.now(UTC))


if __name__ == "__main__":
    main()
