"""(l) What a dispatch at work takes while nothing happens, and how soon a kill is noticed.

Kimi is a shell script here that sleeps. Processor time is that of server, runner and launchers
together, as a share of one core; beside it that of an event loop that only wakes ten times a
second: on an idle virtual machine a waking costs more than what it is for. Memory is the
proportional share (Pss) of runner, launchers and the process that runners are forked from, with one
task and with several. Recovery is from the kill of the runner until a result tells of it and
nothing that the dispatch had started is alive.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import psutil

from tests.bench.ground import OURS, SPEC_PATH, repository, settle
from tests.bench.pairing import interleave, milliseconds
from tests.bench.table import Aim, Row
from tests.bench.wire import Wire, connected
from tests.sandbox import Sandbox

WINDOW_S = 10.0
SEVERAL = 8
BOUND_S = 60.0
BEAT_S = 0.01
PROGRAMS = ("kimi_mcp.dispatch.running.runner", "fork_server.py")
SETTLED_S = 2.0  # what begins with a dispatch is over by then
QUIET_S = 15.0  # a silence is a long one by then: Kimi thinks, or its tests run


def rows(
    scratch: Path,
    *,
    rounds: int,
    window_s: float = WINDOW_S,
    settled_s: float = SETTLED_S,
    quiet_s: float = QUIET_S,
    several: int = SEVERAL,
) -> list[Row]:
    """Measure per cent of a core, milliseconds, and megabytes (2**20 bytes)."""
    settle(scratch, kimi=_sleeper(scratch))
    os.environ["KIMI_MCP_LIMITS_KIMIS"] = str(several)
    project = repository(scratch / "project")
    with connected(OURS, cwd=project.root) as server:
        server.tools()
        measure = partial(_measured, server, project, settled_s=settled_s)
        idle, naps, killed, one, many = interleave(
            [
                partial(
                    measure,
                    tasks=1,
                    look=partial(_percent, quiet_s=quiet_s, window_s=window_s),
                ),
                partial(_napping_percent, window_s=window_s),
                partial(measure, tasks=1, look=_recovery_ms),
                partial(measure, tasks=1, look=_memory_mb),
                partial(measure, tasks=several, look=_memory_mb),
            ],
            rounds=rounds,
        )
    del os.environ["KIMI_MCP_LIMITS_KIMIS"]
    each = [(b - a) / (several - 1) for a, b in zip(one, many, strict=True)]
    return [
        Row(
            figure="l idle, a dispatch at work / an event loop's ten naps a second",
            unit="%",
            ours=idle,
            yardstick=naps,
            aim=Aim("ours", 1),
        ),
        Row(figure="l recovery after a kill", unit="ms", ours=killed, aim=Aim("ours", 1000)),
        Row(figure="l memory beside Kimi, one task", unit="MB", ours=one),
        Row(figure="l memory of each further task", unit="MB", ours=each),
    ]


Look = Callable[[Wire, str], float]


def _measured(server: Wire, project: Sandbox, *, tasks: int, look: Look, settled_s: float) -> float:
    (project.root / SPEC_PATH).write_text(_spec(tasks), encoding="utf-8")
    reply = server.call("dispatch_spec", spec="1", background=True, max_parallel=tasks)
    dispatch = reply.split(":", 1)[0]
    with _ended(server, dispatch):
        _until(lambda: len(_sleepers(server)) == tasks)
        time.sleep(settled_s)
        return look(server, dispatch)


@contextmanager
def _ended(server: Wire, dispatch: str) -> Generator[None]:
    try:
        yield
    finally:
        server.call("cancel_dispatch", dispatch=dispatch)
        _until(lambda: not _at_work(server))


def _spec(tasks: int) -> str:
    stamp = time.time_ns()  # a text of its own each time: the same one would have to be resumed
    parts = (
        f"### Task {number}: Part {number}\nFiles:\n- CREATE part_{number}.py\n"
        for number in range(1, tasks + 1)
    )
    return f"# Spec: 001 -- Sleep {stamp}\n\n## Tasks\n" + "\n".join(parts)


def _percent(server: Wire, _: str, *, quiet_s: float, window_s: float) -> float:
    time.sleep(quiet_s)
    return _busy_percent([psutil.Process(server.pid), *_ours(server)], window_s=window_s)


def _napping_percent(*, window_s: float) -> float:
    naps = "import anyio\nasync def nap():\n while 1: await anyio.sleep(0.1)\nanyio.run(nap)"
    with subprocess.Popen([sys.executable, "-c", naps]) as napping:
        time.sleep(1)
        try:
            return _busy_percent([psutil.Process(napping.pid)], window_s=window_s)
        finally:
            napping.kill()


def _busy_percent(watched: Sequence[psutil.Process], *, window_s: float) -> float:
    before = sum(map(_busy_s, watched))
    begun_at = time.monotonic()
    time.sleep(window_s)
    return 100 * (sum(map(_busy_s, watched)) - before) / (time.monotonic() - begun_at)


def _busy_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _recovery_ms(server: Wire, dispatch: str) -> float:
    processes = [*_at_work(server), *_sleepers(server)]
    runner = next(one for one in processes if PROGRAMS[0] in _command(one))
    return milliseconds(partial(_recovered, server, dispatch, runner.pid, processes))


def _recovered(
    server: Wire, dispatch: str, runner: int, processes: Sequence[psutil.Process]
) -> None:
    os.kill(runner, signal.SIGKILL)
    _until(lambda: ": lost," in server.call("get_result", dispatch=dispatch).split("\n", 1)[0])
    _until(lambda: not any(map(_is_alive, processes)))


def _memory_mb(server: Wire, _: str) -> float:
    return sum(process.memory_full_info().pss for process in _ours(server)) / 2**20


def _ours(server: Wire) -> list[psutil.Process]:
    """Find runner and launchers, and the one that runners are forked from."""
    return [one for one in _family(server) if any(name in _command(one) for name in PROGRAMS)]


def _at_work(server: Wire) -> list[psutil.Process]:
    """Find runner and launchers; what is our server's own child stays for the next dispatch."""
    own = psutil.Process(server.pid).children()
    return [one for one in _ours(server) if one not in own]


def _sleepers(server: Wire) -> list[psutil.Process]:
    return [one for one in _family(server) if _command(one) == "sleep 987"]


def _family(server: Wire) -> list[psutil.Process]:
    return psutil.Process(server.pid).children(recursive=True)


def _command(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(process.cmdline())
    return ""


def _is_alive(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + BOUND_S
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError("what was waited for did not happen")
        time.sleep(BEAT_S)


def _sleeper(scratch: Path) -> Path:
    scratch.mkdir(parents=True, exist_ok=True)
    program = scratch / "kimi"
    program.write_text(
        '#!/bin/sh\ncase "$1" in --version) echo 2.1.0; exit ;; esac\n'
        'work="$KIMI_CODE_HOME/sessions/work/session_one/agents/main"\n'
        'mkdir -p "$work" && touch "$work/wire.jsonl"\nexec sleep 987\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    return program
