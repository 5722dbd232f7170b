"""However a client ends its server, the server is gone, and the dispatch goes on."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence

import anyio
import psutil
import pytest

from conversing import TASK, held_kimi
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.lifecycle import DispatchState, TaskState
from living import until, until_gone
from patience import PATIENCE_S
from raw_client import ENVELOPE, raw_server
from sandbox import Sandbox, StartModel
from survivors import happened

HOST = """\
import os, subprocess, sys
server = subprocess.Popen([sys.executable, "-m", "kimi_mcp"], stdin=0, stdout=1)
os.write(2, f"{server.pid}\\n".encode())
server.wait()
"""


@pytest.mark.parametrize(
    "signals",
    [
        [signal.SIGINT],
        [signal.SIGTERM],
        [signal.SIGHUP],
        [signal.SIGKILL],
        [signal.SIGINT, signal.SIGTERM, signal.SIGKILL],
    ],
)
async def test_a_signal_ends_the_server_and_not_the_dispatch(
    one_task: Sandbox, start_model: StartModel, bench: Workbench, signals: Sequence[signal.Signals]
) -> None:
    model, held = held_kimi(start_model)
    with anyio.fail_after(PATIENCE_S):
        async with raw_server(one_task) as client:
            await client.send(client.tool_call("dispatch_spec", spec="1"))
            await happened(model.reached(TASK, 1))

            for one in signals:
                if psutil.pid_exists(client.pid):
                    os.kill(client.pid, one)

            await until_gone(client.pid)
        (dispatch,) = bench.history.live()
        held.set()
        await until(lambda: not bench.history.live(), within_s=30)
    assert bench.history.dispatch(dispatch.id).state is DispatchState.FINISHED
    assert bench.history.task(dispatch.id, 1).state is TaskState.DELIVERED


def test_a_server_whose_client_died_ends_though_its_pipe_stays_open(sandbox: Sandbox) -> None:
    incoming, ours = os.pipe()
    host = subprocess.Popen(
        [sys.executable, "-c", HOST],
        cwd=sandbox.root,
        stdin=incoming,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert host.stderr is not None
    assert host.stdout is not None
    with host.stderr, host.stdout:
        server = psutil.Process(int(host.stderr.readline()))
        asked = {"jsonrpc": "2.0", "id": 1, "method": "server/discover"}
        os.write(ours, json.dumps({**asked, "params": {"_meta": ENVELOPE}}).encode() + b"\n")
        assert b"kimi-mcp" in host.stdout.readline()

        host.kill()
        host.wait()

        server.wait(PATIENCE_S)
    os.close(incoming)
    os.close(ours)
