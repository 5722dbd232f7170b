import shutil
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from dispatching import bench_of
from harvest import ORDERS
from kimi_mcp.dispatch.recovery import lifeline
from kimi_mcp.dispatch.recovery.reconcile import reconcile
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId, new_dispatch_id
from kimi_mcp.history.records import NewTask
from kimi_mcp.history.times import timestamp
from kimi_mcp.lifecycle import DispatchState, TaskState
from kimi_mcp.review.listing import dispatch_table
from sandbox import Sandbox
from turning import attempt_at, begun
from unwritten import new_dispatch

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
ID = new_dispatch_id(1, "work", "7k3f")


@pytest.fixture
def bench(sandbox: Sandbox) -> Workbench:
    """Return a bench at noon, with one queued dispatch of three tasks and its run folder."""
    made = replace(bench_of(sandbox), now=lambda: NOON)
    made.history.add(
        new_dispatch(
            ID,
            sandbox.root,
            orders=ORDERS.to_json(),
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
        begun(bench.history, attempt_at(ID, number), at)
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

    with lifeline.held(bench.state.run(ID)):
        assert lifeline.is_held(bench.state.run(ID))
        reconcile(late)

    assert state(bench) is DispatchState.RUNNING


def test_looking_at_a_lifeline_does_not_hold_it(bench: Workbench):
    claim(bench)

    assert not lifeline.is_held(bench.state.run(ID))

    with lifeline.held(bench.state.run(ID)) as mine:
        assert mine is not None


def test_a_queued_dispatch_is_starting_as_long_as_somebody_holds_its_lifeline(bench: Workbench):
    much_later = replace(bench, now=lambda: NOON + timedelta(days=1))

    with lifeline.held(bench.state.run(ID)):
        reconcile(much_later)
        assert state(bench) is DispatchState.QUEUED

    reconcile(bench)
    assert state(bench) is DispatchState.LOST


def test_a_dispatch_whose_folder_is_gone_is_lost(bench: Workbench):
    shutil.rmtree(bench.state.run(ID).root)

    reconcile(bench)

    assert state(bench) is DispatchState.LOST


def test_a_repository_that_git_cannot_read_hides_no_death(bench: Workbench, sandbox: Sandbox):
    claim(bench, 1)
    refs = sandbox.root / f".git/refs/kimi/{ID}"
    refs.mkdir(parents=True)
    (refs / "base").write_text("no commit\n", encoding="utf-8")

    reconcile(bench)

    assert state(bench) is DispatchState.LOST


def test_every_attempt_of_a_lost_dispatch_has_its_end_among_the_events(bench: Workbench):
    claim(bench, 1, 2)

    reconcile(bench)

    ends = [event for event in bench.history.events(ID) if event.kind == "task.ended"]
    assert [(event.task, event.attempt) for event in ends] == [(1, 1), (2, 1)]
    assert all(event.payload["is_lost"] for event in ends)


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
        new_dispatch(other, sandbox.root, spec_number=2, orders=ORDERS.to_json()),
        at=timestamp(NOON),
    )

    bench.state.run(other).root.mkdir()
    with lifeline.held(bench.state.run(other)):
        reconcile(bench)

        assert state(bench) is DispatchState.LOST
        assert bench.history.dispatch(other).state is DispatchState.QUEUED
