"""(e) How much memory the server, the runner and the launcher hold.

Resident size of the idle server beside an empty `MCPServer`; of runner and launcher the highest
that the kernel has recorded (`VmHWM`, Linux only), beside a Python that does nothing.
"""

import contextlib
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import IO, cast

import psutil

from kimi_mcp.demo.scripted_model import ScriptedModel, kimi_config
from tests.bench.ground import EMPTY, MARKER, OURS, SIX_STEPS, repository, settle
from tests.bench.pairing import interleave
from tests.bench.table import Aim, Row
from tests.bench.task import dispatched
from tests.bench.wire import connected

BEAT_S = 0.02
IDLE_S = 0.5  # what the server does after its first answers is over by then
PROGRAMS = {"runner": "kimi_mcp.dispatch.running.runner", "launcher": "fork_server.py"}


def rows(scratch: Path, *, kimi: Path, rounds: int) -> list[Row]:
    """Measure memory in megabytes (2**20 bytes)."""
    settle(scratch, kimi=kimi)
    project = repository(scratch / "project")
    with ScriptedModel({MARKER: SIX_STEPS}) as model:
        config = kimi_config(model)
        (scratch / "kimi-home/config.toml").write_text(config, encoding="utf-8")
        ours, empty, idle = interleave(
            [
                partial(_working, cwd=project.root),
                partial(_empty, cwd=scratch),
                _python,
            ],
            rounds=rounds,
        )
    return [
        Row(
            figure=f"e server, {when} / empty one",
            unit="MB",
            ours=[one[when] for one in ours],
            yardstick=[one["idle"] for one in empty],
            aim=Aim("ratio", 1.10) if when == "idle" else None,
        )
        for when in ("idle", "after a dispatch")
    ] + [
        Row(
            figure=f"e {name}, peak / idle Python",
            unit="MB",
            ours=[one[name] for one in ours],
            yardstick=[one["idle"] for one in idle],
            aim=Aim("ours", 40) if name == "runner" else None,
        )
        for name in PROGRAMS
    ]


def _working(*, cwd: Path) -> Mapping[str, float]:
    """Return our server's size before and after a dispatch, and the peaks of what it started."""
    with connected(OURS, cwd=cwd) as server:
        server.tools()
        time.sleep(IDLE_S)
        idle = megabytes(server.pid, "VmRSS")
        is_over = threading.Event()
        peaks: dict[str, float] = defaultdict(float)
        watch = threading.Thread(target=_watch, args=(server.pid, is_over, peaks))
        watch.start()
        try:
            dispatched(server)
        finally:
            is_over.set()
            watch.join()
        return {"idle": idle, "after a dispatch": megabytes(server.pid, "VmRSS"), **peaks}


def _empty(*, cwd: Path) -> Mapping[str, float]:
    with connected(EMPTY, cwd=cwd) as server:
        server.tools()
        time.sleep(IDLE_S)
        return {"idle": megabytes(server.pid, "VmRSS")}


def _python() -> Mapping[str, float]:
    argv = [sys.executable, "-I", "-c", "print(flush=True); input()"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as python:
        cast("IO[bytes]", python.stdout).readline()
        idle = megabytes(python.pid, "VmHWM")
        python.communicate(b"\n")
    return {"idle": idle}


def _watch(server: int, is_over: threading.Event, peaks: dict[str, float]) -> None:
    """Keep the highest peak of each of our programs beneath the server."""
    while not is_over.wait(BEAT_S):
        for process in psutil.Process(server).children(recursive=True):
            with contextlib.suppress(psutil.Error, OSError, LookupError):
                command = " ".join(process.cmdline())
                for name, program in PROGRAMS.items():
                    if program in command:
                        peaks[name] = max(peaks[name], megabytes(process.pid, "VmHWM"))


def megabytes(pid: int, field: str) -> float:
    """Read one field of a process's status as the kernel gives it (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return int(lines[field].split()[0]) / 1024
