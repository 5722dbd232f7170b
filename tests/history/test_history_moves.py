import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_mcp.errors import Refused
from kimi_mcp.history import DispatchId, History
from kimi_mcp.history.records import CancelRequests
from kimi_mcp.lifecycle import DISPATCH_MOVES, TASK_MOVES, DispatchState, Outcome, TaskState
from patience import PATIENCE_S
from turning import attempt_at, begun

NOON = "2026-01-02T12:00:00.000Z"
ONE = "2026-01-02T13:00:00.000Z"
TWO = "2026-01-02T14:00:00.000Z"


def deliver(history: History, id_: DispatchId, number: int) -> None:
    for source, target in [
        (TaskState.WAITING, TaskState.RUNNING),
        (TaskState.RUNNING, TaskState.CHECKING),
    ]:
        assert history.move_task(id_, number, source=source, target=target, at=ONE)
    assert history.move_task(
        id_,
        number,
        source=TaskState.CHECKING,
        target=TaskState.DELIVERED,
        at=TWO,
        sentence="All commands passed.",
        is_checked=True,
        branch="kimi/x/task-1",
        commit_id="c" * 40,
    )


def test_a_new_dispatch_is_queued_and_its_tasks_wait(history: History, queued: DispatchId):
    dispatch = history.dispatch(queued)

    assert (dispatch.state, dispatch.created_at) == (DispatchState.QUEUED, NOON)
    assert (dispatch.started_at, dispatch.ended_at, dispatch.runner_pid) == (None, None, None)
    assert dispatch.orders == {"steps": 100, "setup": ["true"]}
    assert [task.state for task in history.tasks(queued)] == [TaskState.WAITING] * 3
    assert [task.depends_on for task in history.tasks(queued)] == [(), (), (1, 2)]
    assert history.spec_text(queued) == "# Spec: 001 -- Add login\n"


def test_a_spec_with_a_live_dispatch_is_refused_with_its_id(
    history: History, queued: DispatchId, add: Callable[..., DispatchId]
):
    with pytest.raises(Refused, match=queued):
        add(history, token="aaaa")

    assert [dispatch.id for dispatch in history.live()] == [queued]


def test_many_dispatch_a_spec_at_once_and_one_wins(
    history: History, add: Callable[..., DispatchId]
):
    gate = threading.Barrier(8)

    def race(number: int) -> DispatchId | Refused:
        gate.wait(PATIENCE_S)
        try:
            return add(history, token=f"{number:04d}")
        except Refused as error:
            return error

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(race, range(8)))

    winners = [result for result in results if isinstance(result, str)]
    assert winners == [dispatch.id for dispatch in history.live()]
    assert len(winners) == 1
    assert all(winners[0] in str(result) for result in results)


def test_the_same_spec_may_run_in_another_repository_and_again_when_it_is_over(
    history: History, queued: DispatchId, add: Callable[..., DispatchId]
):
    add(history, token="aaaa", repository="/other")
    history.lose(queued, source=DispatchState.QUEUED, at=ONE, note="The runner died.")

    add(history, token="bbbb")


@pytest.mark.parametrize("is_running", [False, True])
def test_the_schema_itself_forbids_two_live_dispatches_of_a_spec(
    history: History, queued: DispatchId, *, is_running: bool
):
    if is_running:
        history.claim(queued, at=ONE, runner_pid=1)
    columns = (
        "repository, git_dir, spec_number, spec_path, spec_title, spec_text, spec_hash, "
        "base_commit, profile, orders, created_at"
    )
    copy = f"INSERT INTO dispatches (id, {columns}) SELECT 'x', {columns} FROM dispatches"

    with (
        closing(sqlite3.connect(history.path, isolation_level=None)) as connection,
        pytest.raises(sqlite3.IntegrityError, match="UNIQUE"),
    ):
        connection.execute(copy)


def test_only_the_first_runner_gets_a_dispatch(history: History, queued: DispatchId):
    assert history.claim(queued, at=ONE, runner_pid=11)
    assert not history.claim(queued, at=TWO, runner_pid=22)

    dispatch = history.dispatch(queued)
    assert (dispatch.state, dispatch.started_at, dispatch.runner_pid) == ("running", ONE, 11)


def test_a_finished_dispatch_says_when_and_with_what(history: History, queued: DispatchId):
    history.claim(queued, at=ONE, runner_pid=1)

    assert history.move_dispatch(
        queued,
        source=DispatchState.RUNNING,
        target=DispatchState.FINISHED,
        at=TWO,
        merged_commit="d" * 40,
        note="All merged.",
    )

    dispatch = history.dispatch(queued)
    assert (dispatch.state, dispatch.ended_at) == (DispatchState.FINISHED, TWO)
    assert (dispatch.merged_commit, dispatch.note) == ("d" * 40, "All merged.")


def test_a_delivered_task_carries_its_branch_commit_and_verdict(
    history: History, queued: DispatchId
):
    deliver(history, queued, 1)

    task = history.task(queued, 1)
    assert (task.state, task.started_at, task.ended_at) == (TaskState.DELIVERED, ONE, TWO)
    assert (task.branch, task.commit_id, task.is_checked) == ("kimi/x/task-1", "c" * 40, True)
    assert task.outcome is None


def test_a_failed_task_says_why(history: History, queued: DispatchId):
    assert history.move_task(
        queued,
        1,
        source=TaskState.WAITING,
        target=TaskState.FAILED,
        at=ONE,
        outcome=Outcome.SETUP_FAILED,
        sentence="npm is missing.",
    )

    task = history.task(queued, 1)
    assert (task.outcome, task.sentence) == (Outcome.SETUP_FAILED, "npm is missing.")


@pytest.mark.parametrize(
    ("target", "verdict"),
    [
        (TaskState.FAILED, {}),
        (TaskState.CANCELLED, {"outcome": Outcome.CRASHED}),
        (TaskState.DELIVERED, {"branch": "kimi/x"}),
        (TaskState.DELIVERED, {"commit_id": "c"}),
    ],
)
def test_a_verdict_that_does_not_fit_its_state_is_impossible(
    history: History, queued: DispatchId, target: TaskState, verdict: dict[str, str]
):
    history.move_task(queued, 1, source=TaskState.WAITING, target=TaskState.RUNNING, at=ONE)
    history.move_task(queued, 1, source=TaskState.RUNNING, target=TaskState.CHECKING, at=ONE)

    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        history.move_task(
            queued,
            1,
            source=TaskState.CHECKING,
            target=target,
            at=TWO,
            **verdict,  # pyright: ignore[reportArgumentType]  # wrong on purpose
        )
    assert history.task(queued, 1).state is TaskState.CHECKING


def test_a_moment_of_another_shape_is_impossible(history: History, queued: DispatchId):
    with pytest.raises(sqlite3.IntegrityError, match="CHECK"):
        history.claim(queued, at="2026-01-02 12:00:00", runner_pid=1)


def test_a_terminal_row_changes_only_by_being_reopened(history: History, queued: DispatchId):
    deliver(history, queued, 1)
    history.lose(queued, source=DispatchState.QUEUED, at=TWO, note="Lost.")
    before = (history.dispatch(queued), history.tasks(queued))

    assert not history.claim(queued, at=TWO, runner_pid=9)
    assert not history.request_cancel(queued, at=TWO, reason="user")
    assert not history.request_cancel(queued, at=TWO, reason="user", tasks=(1, 2, 3))
    for source, targets in DISPATCH_MOVES.items():
        for target in targets - {DispatchState.RUNNING, DispatchState.QUEUED}:
            assert not history.move_dispatch(queued, source=source, target=target, at=TWO)
    for source, targets in TASK_MOVES.items():
        for target in targets - {TaskState.WAITING}:
            assert not history.move_task(queued, 1, source=source, target=target, at=TWO)
    assert (history.dispatch(queued), history.tasks(queued)) == before


def test_a_dispatch_that_is_over_waits_again_for_an_errand(history: History, queued: DispatchId):
    history.claim(queued, at=NOON, runner_pid=1)
    deliver(history, queued, 1)
    history.request_cancel(queued, at=ONE, reason="user")
    history.lose(queued, source=DispatchState.RUNNING, at=TWO, note="The runner died.")

    amendments = {2: {"allow_files": ["a.py"]}}
    assert history.reopen(
        queued, errand={"kind": "resume"}, tasks=(2,), amendments=amendments, at=NOON
    )

    again = history.dispatch(queued)
    assert (again.state, again.errand, again.note) == (
        DispatchState.QUEUED,
        {"kind": "resume"},
        None,
    )
    assert history.cancel_requests(queued) == CancelRequests()
    first, second, third = history.tasks(queued)
    assert (first.state, second.state, third.state) == (
        TaskState.DELIVERED,
        TaskState.WAITING,
        TaskState.LOST,
    )
    assert second.amendments == amendments[2]
    assert history.claim(queued, at=TWO, runner_pid=2)
    assert not history.reopen(queued, errand={}, tasks=(2,), amendments={}, at=NOON)


def test_a_dispatch_is_not_reopened_beside_a_live_one_of_its_spec(
    add: Callable[..., DispatchId], history: History, queued: DispatchId
):
    history.lose(queued, source=DispatchState.QUEUED, at=TWO, note="Lost.")
    other = add(history, token="live")

    with pytest.raises(Refused, match=other):
        history.reopen(queued, errand={}, tasks=(1,), amendments={}, at=NOON)


def test_losing_a_dispatch_takes_its_live_tasks_and_attempts_along(
    history: History, queued: DispatchId
):
    history.claim(queued, at=NOON, runner_pid=1)
    deliver(history, queued, 1)
    begun(history, attempt_at(queued, 2), ONE)

    assert history.lose(queued, source=DispatchState.RUNNING, at=TWO, note="The runner died.")

    states = [task.state for task in history.tasks(queued)]
    assert states == [TaskState.DELIVERED, TaskState.LOST, TaskState.LOST]
    assert history.attempts(queued, 2)[0].ended_at == TWO
    assert history.dispatch(queued).note == "The runner died."
    assert not history.lose(queued, source=DispatchState.RUNNING, at=TWO, note="Again.")


def test_a_wish_to_cancel_is_recorded_once_and_with_its_reason(
    history: History, queued: DispatchId
):
    assert history.cancel_requests(queued) == CancelRequests()

    assert history.request_cancel(queued, at=ONE, reason="user-cancel")
    assert history.request_cancel(queued, at=TWO, reason="again")

    assert history.cancel_requests(queued) == CancelRequests(
        is_whole_dispatch=True, reason="user-cancel"
    )
    assert history.dispatch(queued).cancel_requested_at == ONE


def test_single_tasks_can_be_cancelled_while_they_live(history: History, queued: DispatchId):
    deliver(history, queued, 1)

    assert history.request_cancel(queued, at=ONE, reason="user", tasks=(1, 3))

    assert history.cancel_requests(queued) == CancelRequests(tasks=frozenset({3}))
    history.move_task(queued, 3, source=TaskState.WAITING, target=TaskState.CANCELLED, at=TWO)
    assert history.cancel_requests(queued) == CancelRequests()


@pytest.mark.parametrize(
    ("source", "target"),
    [(s, t) for s in TaskState for t in TaskState if t not in TASK_MOVES[s] - {TaskState.WAITING}],
)
def test_a_task_moves_only_along_the_table(
    history: History, queued: DispatchId, source: TaskState, target: TaskState
):
    with pytest.raises(ValueError, match=f"from {source} to {target}"):
        history.move_task(queued, 1, source=source, target=target, at=ONE)


@pytest.mark.parametrize(
    ("source", "target"),
    [(s, t) for s in DispatchState for t in DispatchState if t not in DISPATCH_MOVES[s]]
    + [(DispatchState.QUEUED, DispatchState.RUNNING), (DispatchState.LOST, DispatchState.QUEUED)],
)
def test_a_dispatch_moves_only_along_the_table_and_is_claimed_or_reopened_otherwise(
    history: History, queued: DispatchId, source: DispatchState, target: DispatchState
):
    with pytest.raises(ValueError, match=f"from {source} to {target}"):
        history.move_dispatch(queued, source=source, target=target, at=ONE)


_task_moves = st.tuples(
    st.integers(1, 3),
    st.sampled_from([(s, t) for s in TASK_MOVES for t in TASK_MOVES[s] - {TaskState.WAITING}]),
)
_dispatch_moves = st.sampled_from([(s, t) for s in DISPATCH_MOVES for t in DISPATCH_MOVES[s]])


@settings(max_examples=40, deadline=None)
@given(steps=st.lists(_task_moves | _dispatch_moves, max_size=25))
def test_random_walks_never_leave_the_tables(
    add: Callable[..., DispatchId],
    steps: list[tuple[int, tuple[TaskState, TaskState]] | tuple[DispatchState, DispatchState]],
):
    with TemporaryDirectory() as folder:
        history = History.open(Path(folder) / "history.db")
        id_ = add(history)
        tasks: dict[int, TaskState] = dict.fromkeys((1, 2, 3), TaskState.WAITING)
        whole = DispatchState.QUEUED
        for step in steps:
            match step:
                case (int() as number, (TaskState() as source, target)):
                    moved = history.move_task(
                        id_,
                        number,
                        source=source,
                        target=target,
                        at=ONE,
                        outcome=Outcome.CRASHED if target is TaskState.FAILED else None,
                        branch="kimi/b",
                        commit_id="c",
                    )
                    assert moved == (tasks[number] is source)
                    tasks[number] = target if moved else tasks[number]
                case (DispatchState() as source, DispatchState.RUNNING as target):
                    moved = history.claim(id_, at=ONE, runner_pid=1)
                    assert moved == (whole is source)
                    whole = target if moved else whole
                case (DispatchState(), DispatchState.QUEUED):
                    moved = history.reopen(id_, errand={}, tasks=tasks, amendments={}, at=ONE)
                    assert (moved is not None) == whole.is_terminal
                    if moved:
                        whole = DispatchState.QUEUED
                        tasks = {
                            n: TaskState.WAITING if s.is_terminal else s for n, s in tasks.items()
                        }
                case (DispatchState() as source, DispatchState() as target):
                    moved = history.move_dispatch(id_, source=source, target=target, at=ONE)
                    assert moved == (whole is source)
                    whole = target if moved else whole

        assert history.dispatch(id_).state is whole
        assert {task.number: task.state for task in history.tasks(id_)} == tasks
