"""Attempts on other machines, with the real Ray: carried out, taken up, ended."""

import json
import os
import re
import signal
import stat
import tarfile
from functools import partial
from pathlib import Path

import anyio
import pytest

from dispatching import Done, bench_of, dispatched, followed, spec_of, specify
from kimi_mcp import __version__
from kimi_mcp.cli.main import main
from kimi_mcp.demo.script import say, write
from kimi_mcp.dispatch.cancel import cancel
from kimi_mcp.dispatch.launch import Launched, LaunchWish, launch
from kimi_mcp.dispatch.recovery.reconcile import reconcile
from kimi_mcp.dispatch.retake import resume
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.lifecycle import DispatchState, Outcome, TaskState
from kimi_mcp.review.view import View
from living import until
from machines import Machines
from sandbox import Sandbox, StartModel
from survivors import processes_of


def task(name: str, *acts: list[str]) -> str:
    """Write a task that creates a file, after other acts of Kimi's."""
    todo = [*acts, ["write", f"{name}.txt", f"{name}\n"]]
    return (
        f"Make {name}\nFiles:\n- CREATE {name}.txt\nRequirements:\n- ACTS {json.dumps(todo)}\n"
        f"Verification:\n- `test -s {name}.txt`\n"
    )


def launched(sandbox: Sandbox, *tasks: str) -> tuple[Workbench, Launched]:
    specify(sandbox, spec_of(*tasks))
    bench = bench_of(sandbox)
    return bench, launch(bench, LaunchWish(spec="specs/001-work.md", max_parallel=4))


def steps(done: Done, task: int) -> list[int]:
    """The steps that the history tells of, in order."""
    return [
        int(event.payload["number"])
        for event in done.events
        if event.task == task and event.kind == "task.step" and not event.payload["tool"]
    ]


def kinds(done: Done, task: int) -> list[str]:
    return [event.kind for event in done.events if event.task == task]


@pytest.mark.usefixtures("abroad")
async def test_tasks_are_carried_out_on_the_nodes_and_merged_at_home(sandbox: Sandbox) -> None:
    specify(sandbox, spec_of(*(task(name) for name in ("ant", "bee", "cat"))))

    done = await dispatched(sandbox, max_parallel=4)

    assert {*done.outcomes.values()} == {TaskState.DELIVERED}
    assert {one.attempts[0].node for one in done.report.tasks} <= {"one", "two"}
    assert re.search(r"1 steps?.* on (one|two)|steps · on (one|two)", done.view(View.SUMMARY))
    merged = done.report.dispatch.merged_commit
    assert merged is not None
    assert sandbox.git("ls-tree", "--name-only", merged).split() == [
        *("README.md", "ant.txt", "app.py", "bee.txt", "cat.txt", "specs"),
    ]
    for one in done.report.tasks:
        assert one.checks
        assert kinds(done, one.task.number)[0] == "task.started"
        assert kinds(done, one.task.number).count("task.ended") == 1
    assert not done.bench.state.run(done.id).task(1).home.exists()  # Kimi was not here


async def test_a_resumed_runner_takes_up_what_was_told_since_the_last_one_died(
    sandbox: Sandbox, abroad: Path
) -> None:
    asked, note, go = abroad / "asked", abroad / "note", abroad / "go"
    os.mkfifo(go)
    acts = [["account", str(asked)], ["hold_once", str(note), str(go)]]
    bench, begun = launched(sandbox, task("ant", *acts))
    await until(lambda: note.exists() and bench.history.task(begun.dispatch, 1).steps == 2)
    pid = bench.history.dispatch(begun.dispatch).runner_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    await until(lambda: _is_lost(bench, begun))
    assert "goes on there" in (bench.history.dispatch(begun.dispatch).note or "")
    await anyio.Path(go).write_bytes(b"go")

    done = await followed(bench, await anyio.to_thread.run_sync(resume, bench, begun.dispatch))

    assert done.outcomes == {1: TaskState.DELIVERED}
    assert done.task(1).task.attempts == 1
    assert steps(done, 1) == [1, 2, 3, 4, 5]
    assert len(asked.read_text(encoding="utf-8").splitlines()) == 5
    assert [kinds(done, 1).count(f"task.{kind}") for kind in ("started", "committed", "ended")] == [
        *(1, 1, 1),
    ]


def _is_lost(bench: Workbench, begun: Launched) -> bool:
    reconcile(bench)
    return bench.history.dispatch(begun.dispatch).state is DispatchState.LOST


@pytest.mark.usefixtures("abroad")
async def test_what_was_printed_on_a_machine_is_fetched_by_who_asks_for_it(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    specify(sandbox, spec_of(task("ant", ["say", "Here I am."])))
    done = await dispatched(sandbox)
    monkeypatch.chdir(tmp_path)

    assert await anyio.to_thread.run_sync(main, ["cluster", "logs", done.id, "1"]) == 0
    assert await anyio.to_thread.run_sync(main, ["cluster", "logs", done.id, "1"]) == 2

    file = tmp_path / f"{done.id}-task-1-a1.tar.gz"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with tarfile.open(file) as packed:
        said = packed.extractfile("task-1/attempt-1/stdout.jsonl")
        assert said is not None
        assert b"Here I am." in said.read()


@pytest.mark.usefixtures("abroad")
async def test_a_cancel_ends_kimi_and_all_that_it_started_on_the_node(sandbox: Sandbox) -> None:
    bench, begun = launched(sandbox, task("ant", ["run", "sleep 1000 & sleep 1000"]))
    work = f"{begun.dispatch}-task-1-a1"
    await until(lambda: len(processes_of(work)) > 3)
    # as at home: by Ray's own default what else the node does would go before (2.60)
    assert {one.nice() for one in processes_of(work)} == {os.nice(0)}

    assert await cancel(bench, begun.dispatch, tasks=None, reason="enough")
    done = await followed(bench, begun)

    assert done.outcomes == {1: TaskState.CANCELLED}
    await until(lambda: not processes_of(work))


@pytest.mark.usefixtures("abroad")
async def test_a_machine_that_was_upgraded_since_it_joined_carries_nothing_out(
    sandbox: Sandbox, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    await anyio.to_thread.run_sync(
        partial(machines.join, "three", version="9.9.9", joined=__version__)
    )
    monkeypatch.setenv("KIMI_MCP_CLUSTER_LABELS", '{name = "three"}')
    specify(sandbox, spec_of(task("ant")))

    done = await dispatched(sandbox)

    await anyio.to_thread.run_sync(machines.forget, "three")
    assert done.outcomes == {1: Outcome.CRASHED}
    assert "three runs kimi-mcp 9.9.9, this machine" in (done.task(1).task.sentence or "")


@pytest.mark.usefixtures("abroad")
async def test_eight_tasks_of_the_real_kimi_are_merged_as_at_home(
    sandbox: Sandbox,
    machines: Machines,
    start_model: StartModel,
    kimi_main: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = [f"part_{number}" for number in range(1, 9)]
    start_model(
        {
            f"# Your task ({number})": (write(f"{name}.txt", f"{name}\n"), say("done"))
            for number, name in enumerate(names, start=1)
        }
    )
    monkeypatch.setenv("KIMI_MCP_CLUSTER_CREDENTIAL", "hand_over")
    readable = json.loads(os.environ["KIMI_MCP_ALLOW_READ"])
    monkeypatch.setenv("KIMI_MCP_ALLOW_READ", json.dumps([*readable, str(kimi_main.parents[3])]))
    specify(sandbox, spec_of(*(task(name) for name in names)))
    with machines.real(kimi_main):
        away = await dispatched(sandbox, max_parallel=4)
    monkeypatch.setenv("KIMI_MCP_KIMI", str(kimi_main))
    monkeypatch.setenv("KIMI_MCP_CLUSTER_POLICY", "local")
    sandbox.git("commit", "-q", "--allow-empty", "-m", "Go on")
    at_home = await dispatched(sandbox, max_parallel=4)

    assert {one.attempts[-1].node for one in away.report.tasks} == {"one", "two"}
    assert {one.attempts[-1].node for one in at_home.report.tasks} == {None}
    trees = {
        sandbox.git("rev-parse", f"{one.report.dispatch.merged_commit}^{{tree}}")
        for one in (away, at_home)
    }
    assert len(trees) == 1
    leaked = [
        file
        for name in ("one", "two")
        for file in machines.state(name).rglob("config.toml")
        if "handed" in file.parts
    ]
    assert leaked == []


async def test_a_task_whose_machine_is_lost_is_carried_out_on_another_one(
    sandbox: Sandbox, machines: Machines, abroad: Path
) -> None:
    note, go = abroad / "note", abroad / "go"
    os.mkfifo(go)
    bench, begun = launched(sandbox, task("ant", ["hold_once", str(note), str(go)]))
    await until(lambda: note.exists() and bench.history.attempts(begun.dispatch, 1) != ())
    (first,) = bench.history.attempts(begun.dispatch, 1)
    assert first.node is not None

    machines.kill(first.node)
    done = await followed(bench, begun)

    assert done.outcomes == {1: TaskState.DELIVERED}
    lost, second = done.task(1).attempts
    assert "was lost with it" in (lost.sentence or "")
    assert second.node not in {None, first.node}
    await until(lambda: not processes_of(f"{begun.dispatch}-task-1-a1"))
    await anyio.to_thread.run_sync(machines.join, first.node)
