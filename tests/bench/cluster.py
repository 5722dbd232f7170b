"""(q) Other machines: what a task costs there more than here, how idle they stay, what is sent.

A head and two nodes of the real Ray on this machine, with two slots each; Kimi is a script here. A
dispatch of one task and one of several tell what each further task costs; what the first one costs
more is Ray's own start. Slots are idle while none of the 64 tasks has begun there: beside the time
in which tasks were at work, all that is left of the slots' time until the last one had ended.
"""

import json
import os
import sys
import tempfile
from collections.abc import Generator
from contextlib import ExitStack, aclosing, contextmanager
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path

import anyio

from kimi_mcp.dispatch.follow import follow
from kimi_mcp.dispatch.launch import LaunchWish, launch
from kimi_mcp.dispatch.planning.trusting import trust
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.lifecycle import TaskState
from kimi_mcp.workspace.carrying import packed
from tests.bench.ground import SPEC_PATH, repository, settle
from tests.bench.pairing import interleave, milliseconds
from tests.bench.table import Aim, Row
from tests.giants import with_history
from tests.machines import FAKE, SLOTS, Machines
from tests.sandbox import Sandbox

NODES = "one", "two"
SEVERAL = 9
MANY = 64
#: Short for a real one, which takes minutes. A slot stays empty for about a second after each: Ray
#: starts a process for the next attempt, here four at a time on two cores.
TASK_S = 10.0
HISTORY_BYTES = 10**9
MEGABYTE = 2**20


def rows(
    scratch: Path,
    *,
    rounds: int,
    several: int = SEVERAL,
    many: int = MANY,
    task_s: float = TASK_S,
    history_bytes: int = HISTORY_BYTES,
) -> list[Row]:
    """Measure milliseconds, per cent of the slots' time, and megabytes."""
    with _machines() as machines:
        settle(scratch, kimi=machines.kimi)
        project = repository(scratch / "project")
        with _chosen(machines):
            measure = partial(_dispatched_ms, project)
            here, there, all_here, all_there = interleave(
                [
                    partial(measure, "local", tasks=1),
                    partial(measure, "cluster", tasks=1),
                    partial(measure, "local", tasks=several),
                    partial(measure, "cluster", tasks=several),
                ],
                rounds=rounds,
            )
            idle = _idle_percent(project, tasks=many, task_s=task_s)
    further = several - 1
    return [
        Row(figure="q one task on a node / here", unit="ms", ours=there, yardstick=here),
        Row(
            figure="q each further task on a node / here",
            unit="ms",
            ours=[(b - a) / further for a, b in zip(there, all_there, strict=True)],
            yardstick=[(b - a) / further for a, b in zip(here, all_here, strict=True)],
            aim=Aim("difference", 1000),
        ),
        Row(
            figure=f"q slots idle, {many} tasks of {task_s:.0f} s on two nodes",
            unit="%",
            ours=[idle],
            aim=Aim("ours", 10),
        ),
        sent(scratch / "giant", size_bytes=history_bytes),
    ]


@contextmanager
def _machines() -> Generator[Machines]:
    with tempfile.TemporaryDirectory(prefix="k", dir="/tmp") as name, ExitStack() as stack:
        program = Path(name, "kimi")
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "{FAKE}" "$@"\n', "utf-8")
        program.chmod(0o755)
        machines = Machines(Path(name), program)
        stack.callback(machines.end)
        machines.begin()
        for node in NODES:
            machines.join(node)
        yield machines


@contextmanager
def _chosen(machines: Machines) -> Generator[None]:
    chosen = {
        "KIMI_MCP_CLUSTER_ADDRESS": machines.address,
        "KIMI_MCP_CLUSTER_TOKEN_FILE": str(machines.token),
        "KIMI_MCP_LIMITS_KIMIS": str(SLOTS * len(NODES)),
        "KIMI_MCP_ALLOW_READ": json.dumps(
            [str(FAKE.parent), sys.prefix, sys.base_prefix, str(machines.folder)]
        ),
    }
    os.environ.update(chosen)
    try:
        yield
    finally:
        for name in chosen:
            del os.environ[name]


_stamps = count()


def _dispatched(project: Sandbox, *, policy: str, tasks: int, act: list[str]) -> DispatchId:
    """Have a spec of independent tasks carried out; return when it is over."""
    parts = (
        f"### Task {number}: Part {number}\nFiles:\n- CREATE part_{number}.txt\n"
        f"Requirements:\n- ACTS {json.dumps([act, ['write', f'part_{number}.txt', 'part']])}\n"
        for number in range(1, tasks + 1)
    )
    text = f"# Spec: 001 -- Work {next(_stamps)}\n\n## Tasks\n" + "\n".join(parts)
    project.write(SPEC_PATH, text)
    environ = {
        **os.environ,
        "KIMI_MCP_CLUSTER_POLICY": policy,
        "CLAUDE_PROJECT_DIR": str(project.root),
    }
    bench = Workbench.open(environ)
    trust(bench, str(project.root / SPEC_PATH))
    # more at once than there are slots: the next one is at hand when a slot is free
    wish = LaunchWish(spec=SPEC_PATH, max_parallel=2 * SLOTS * len(NODES))
    dispatch = launch(bench, wish).dispatch
    anyio.run(_followed, bench, dispatch)
    for row in bench.history.tasks(dispatch):
        if row.state is not TaskState.DELIVERED:
            raise RuntimeError(f"task {row.number}: {row.sentence}")
    return dispatch


async def _followed(bench: Workbench, dispatch: DispatchId) -> None:
    async with aclosing(follow(bench, dispatch)) as events:
        async for _ in events:
            pass


def _dispatched_ms(project: Sandbox, policy: str, *, tasks: int) -> float:
    act = ["say", "I begin."]
    return milliseconds(partial(_dispatched, project, policy=policy, tasks=tasks, act=act))


def _idle_percent(project: Sandbox, *, tasks: int, task_s: float) -> float:
    act = ["run", f"sleep {task_s}"]
    dispatch = _dispatched(project, policy="cluster", tasks=tasks, act=act)
    history = Workbench.open(os.environ).history
    spans = [
        (_at(attempt.started_at), _at(attempt.ended_at))
        for number in range(1, tasks + 1)
        for attempt in history.attempts(dispatch, number)
    ]
    whole_s = max(end for _, end in spans) - min(begin for begin, _ in spans)
    at_work_s = sum(end - begin for begin, end in spans)
    return 100 * (1 - at_work_s / (whole_s * SLOTS * len(NODES)))


def _at(stamp: str | None) -> float:
    if stamp is None:
        raise RuntimeError("an attempt is still at work")
    return datetime.fromisoformat(stamp).timestamp()


def sent(root: Path, *, size_bytes: int) -> Row:
    """Pack what a node is sent of a long history, as a dispatch does."""
    project = repository(root)
    with_history(root, size_bytes)
    base = project.git("rev-parse", "HEAD")
    tree = sum(int(line.split()[3]) for line in project.git("ls-tree", "-rl", base).splitlines())
    sent = packed(root / ".git", [base], boundary=base)
    return Row(
        figure=f"q sent of {size_bytes / 10**6:,.0f} MB of history / the base's files",
        unit="MB",
        ours=[len(sent) / MEGABYTE],
        yardstick=[tree / MEGABYTE],
        aim=Aim("ratio", 1.05),
    )
