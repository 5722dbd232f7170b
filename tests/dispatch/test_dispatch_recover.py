import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from filelock import FileLock

from dispatching import bench_of
from kimi_mcp.dispatch.recover import START_BOUND, holds_lifeline, reconcile
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId, new_dispatch_id
from kimi_mcp.history.records import NewDispatch, NewTask
from kimi_mcp.history.times import timestamp
from kimi_mcp.lifecycle import DispatchState, TaskState
from kimi_mcp.review.listing import dispatch_table
from sandbox import Sandbox

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
ID = new_dispatch_id(1, "work", "7k3f")


@pytest.fixture
def bench(sandbox: Sandbox) -> Workbench:
    """Return a bench at noon, with one queued dispatch of three tasks and its run folder."""
    made = replace(bench_of(sandbox), now=lambda: NOON)
    made.history.add(
        NewDispatch(
            id=ID,
            repository=str(sandbox.root),
            git_dir=str(sandbox.root / ".git"),
            spec_number=1,
            spec_path="specs/001-work.md",
            spec_title="Work",
            spec_text="# Spec: 001 -- Work\n",
            spec_hash="abc",
            base_commit="b" * 40,
            base_branch="main",
            profile="moderato",
            orders={},
            session=None,
            tasks=(
                NewTask(number=1, title="One"),
                NewTask(number=2, title="Two"),
                NewTask(number=3, title="Three", depends_on=(1,)),
            ),
        ),
        at=timestamp(NOON),
    )
    made.state.run(ID).root.mkdir(parents=True)
    return made


def claim(bench: Workbench, *running: int) -> None:
    """Do what a runner does first: claim the dispatch and begin these tasks."""
    at = timestamp(NOON)
    assert bench.history.claim(ID, at=at, runner_pid=1)
    bench.state.run(ID).lifeline.touch()
    for number in running:
        bench.history.move_task(
            ID, number, source=TaskState.WAITING, target=TaskState.RUNNING, at=at
        )
        bench.history.begin_attempt(ID, number, base_commit="b" * 40, at=at)
        bench.history.advance_attempt(ID, number, 1, steps=7)


def state(bench: Workbench) -> DispatchState:
    return bench.history.dispatch(ID).state


def test_a_dispatch_whose_lifeline_is_free_is_lost_and_names_where_the_work_lies(bench: Workbench):
    claim(bench, 1, 2)
    ref = f"refs/kimi/{ID}/task-2.a1"
    bench.history.advance_attempt(ID, 2, 1, commit_id="c" * 40, ref=ref)

    reconcile(bench)

    clone = bench.state.run(ID).task(1).clone
    assert state(bench) is DispatchState.LOST
    assert bench.history.dispatch(ID).note == (
        f"The runner died. Task 1 was at step 7; its work is in {clone}. "
        f"Task 2 was at step 7; its work is in {ref}."
    )
    assert {task.state for task in bench.history.tasks(ID)} == {TaskState.LOST}
    assert all(attempt.ended_at for attempt in bench.history.attempts(ID, 1))
    assert f"| {ID} | lost | 0/3 | 14 |" in dispatch_table(bench)


def test_a_dispatch_that_lost_its_runner_between_tasks_says_so(bench: Workbench):
    claim(bench)

    reconcile(bench)

    assert bench.history.dispatch(ID).note == "The runner died. No task was running."


def test_a_held_lifeline_is_life_whatever_the_clock_says(bench: Workbench):
    claim(bench, 1)
    late = replace(bench, now=lambda: NOON + timedelta(days=30))

    with FileLock(bench.state.run(ID).lifeline):
        assert holds_lifeline(bench.state.run(ID))
        reconcile(late)

    assert state(bench) is DispatchState.RUNNING


def test_looking_at_a_lifeline_does_not_hold_it(bench: Workbench):
    claim(bench)

    assert not holds_lifeline(bench.state.run(ID))

    with FileLock(bench.state.run(ID).lifeline, timeout=0):
        pass


def test_a_queued_dispatch_is_given_its_time_to_start(bench: Workbench):
    reconcile(replace(bench, now=lambda: NOON + START_BOUND - timedelta(milliseconds=1)))
    assert state(bench) is DispatchState.QUEUED

    reconcile(replace(bench, now=lambda: NOON + START_BOUND))
    assert state(bench) is DispatchState.LOST


def test_what_is_over_is_left_alone(bench: Workbench):
    bench.history.move_dispatch(
        ID, source=DispatchState.QUEUED, target=DispatchState.CANCELLED, at=timestamp(NOON)
    )

    reconcile(replace(bench, now=lambda: NOON + timedelta(days=1)))

    assert state(bench) is DispatchState.CANCELLED


def test_two_readers_at_once_lose_a_dispatch_once(bench: Workbench):
    claim(bench, 1)
    readers = [threading.Thread(target=reconcile, args=(bench,)) for _ in range(4)]

    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    reconcile(bench)

    assert state(bench) is DispatchState.LOST


def test_only_the_dispatch_that_died_is_lost(bench: Workbench, sandbox: Sandbox):
    claim(bench, 1)
    other = DispatchId("002-other-7k3f")
    bench.history.add(
        NewDispatch(
            id=other,
            repository=str(sandbox.root),
            git_dir=str(sandbox.root / ".git"),
            spec_number=2,
            spec_path="specs/002-other.md",
            spec_title="Other",
            spec_text="",
            spec_hash="def",
            base_commit="b" * 40,
            base_branch="main",
            profile="moderato",
            orders={},
            session=None,
            tasks=(NewTask(number=1, title="One"),),
        ),
        at=timestamp(NOON),
    )

    reconcile(bench)

    assert state(bench) is DispatchState.LOST
    assert bench.history.dispatch(other).state is DispatchState.QUEUED
