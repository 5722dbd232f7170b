"""A dispatch's events, folded into the rows of the live view."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from test_review_progress import CHANGE, CHECK, ENDED

from kimi_mcp.dispatch.events import (
    Checked,
    Committed,
    Ended,
    Noted,
    Started,
    Step,
    TaskEvent,
    encode,
)
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.records import Event, Task
from kimi_mcp.lifecycle import Outcome, TaskState
from kimi_mcp.quota.forecast import Features, Forecast
from kimi_mcp.review.board import Board, Plan, Row, clock, in_order, totals

NOW = datetime(2026, 1, 2, 12, 1, 5, tzinfo=UTC)
DISPATCH = DispatchId("001-x-7k3f")


def a_task(number: int, *needs: int, state: TaskState = TaskState.RUNNING) -> Task:
    return Task(
        dispatch=DISPATCH,
        number=number,
        title=f"Part {number}",
        depends_on=needs,
        state=state,
        outcome=Outcome.CHECKS_FAILED if state is TaskState.FAILED else None,
        sentence="1 of 1 failed." if state is TaskState.FAILED else None,
        is_checked=True,
        branch=None,
        commit_id=None,
        started_at="2026-01-02T12:00:00.000Z",
        ended_at="2026-01-02T12:00:09.000Z" if state.is_terminal else None,
        cancel_requested_at=None,
        amendments={},
        attempts=1,
        steps=3,
    )


def board_after(*happened: TaskEvent, task: int = 1) -> Board:
    board = Board({task: Plan(steps=100, checks=2)})
    for number, one in enumerate(happened, start=1):
        kind, payload = encode(one)
        board.take(
            Event(
                dispatch=DISPATCH,
                number=number,
                task=task,
                attempt=1,
                at=f"2026-01-02T12:00:{number:02}.000Z",
                kind=kind,
                payload=payload,
            )
        )
    return board


def the_row(board: Board, task: Task) -> Row:
    (row,) = board.rows([task], now=NOW)
    return row


def test_a_row_says_the_step_the_budget_and_the_file_at_hand():
    board = board_after(
        Started(base="c0ffee"), Step(number=7), Step(number=7, tool="Edit", target="src/a.py")
    )

    row = the_row(board, a_task(1))

    assert row == Row(
        number=1,
        title="Part 1",
        state=TaskState.RUNNING,
        depends_on=(),
        steps=7,
        budget=100,
        passed=0,
        failed=0,
        checks=2,
        doing="Edit src/a.py",
        elapsed_s=64,
    )


def test_while_kimi_thinks_the_last_file_stays_in_sight():
    first = board_after(Started(base="c0ffee"), Step(number=1))
    later = board_after(Step(number=1, tool="Edit", target="src/a.py"), Step(number=2))

    assert the_row(first, a_task(1)).doing == "thinking"
    assert the_row(later, a_task(1)).doing == "Edit src/a.py · thinking"


def test_checks_are_counted_as_they_end():
    bad = Checked(check=replace(CHECK, exit_code=1))
    board = board_after(Committed(commit="c0ffee", changes=(CHANGE,)), Checked(check=CHECK), bad)

    row = the_row(board, a_task(1, state=TaskState.CHECKING))

    assert (row.passed, row.failed, row.checks) == (1, 1, 2)
    assert row.doing == "pytest -q failed"


def test_what_is_over_says_what_came_of_it_and_its_time_stands_still():
    story: Sequence[TaskEvent] = [
        Started(base="c"),
        Committed(commit="c", changes=(CHANGE,)),
        ENDED,
    ]
    delivered = the_row(board_after(*story), a_task(1, state=TaskState.DELIVERED))
    failed = the_row(board_after(Started(base="c")), a_task(1, state=TaskState.FAILED))

    assert (delivered.doing, delivered.elapsed_s) == ("+1 -0 in 1 file", 2)
    assert (failed.doing, failed.elapsed_s) == ("checks_failed: 1 of 1 failed.", 8)


def test_a_new_attempt_begins_anew():
    ended = replace(ENDED, outcome=Outcome.BLOCKED)
    board = board_after(Step(number=9), Checked(check=CHECK), ended, Started(base="c"))

    row = the_row(board, a_task(1))

    assert (row.steps, row.passed, row.doing, row.elapsed_s) == (0, 0, "preparing", 61)


def test_what_waits_says_for_whom_and_has_no_time():
    row = the_row(Board({}), a_task(3, 1, 2, state=TaskState.WAITING))

    assert (row.doing, row.elapsed_s, row.checks) == ("after 1, 2", None, 0)


@given(st.lists(st.sets(st.integers(1, 9)), max_size=9))
def test_no_task_stands_above_one_that_it_needs(needs: list[set[int]]):
    tasks = [
        a_task(number, *(one for one in needed if one < number))
        for number, needed in enumerate(needs, start=1)
    ]

    order = [task.number for task in in_order(reversed(tasks))]

    assert sorted(order) == [task.number for task in tasks]
    for task in tasks:
        for needed in task.depends_on:
            assert order.index(needed) < order.index(task.number)


def test_totals_name_the_unchecked_and_what_was_predicted():
    features = Features(files=1, kbytes=1.0, commands=1, kind="create")
    forecast = Forecast(features=features, low=4, typical=5, high=6, samples=0).to_json()
    tasks = [
        replace(a_task(1, state=TaskState.DELIVERED), is_checked=False),
        a_task(2),
    ]

    assert totals(tasks) == "1 of 2 delivered, 1 of them UNCHECKED · 6 steps"
    expected = totals([replace(task, forecast=forecast) for task in tasks])
    assert expected.startswith("1 of 2 delivered, 1 of them UNCHECKED · 6 steps, predicted ")


def test_totals_say_no_more_than_there_is_to_say():
    tasks = [a_task(1, state=TaskState.DELIVERED), a_task(2, state=TaskState.DELIVERED)]

    assert totals(tasks) == "2 of 2 delivered · 6 steps"


def test_what_tells_nothing_of_how_a_task_stands_changes_nothing():
    board = board_after(Step(number=2), Noted(text="hm"))
    before = the_row(board, a_task(1))

    kind, payload = encode(Step(number=9))
    board.take(
        Event(
            dispatch=DISPATCH,
            number=3,
            task=None,
            attempt=None,
            at="2026-01-02T12:00:30.000Z",
            kind=kind,
            payload=payload,
        )
    )

    assert before.steps == 2
    assert the_row(board, a_task(1)) == before


def test_durations_read_as_on_a_clock():
    assert [clock(seconds) for seconds in (0, 7.9, 61, 3723)] == ["0:00", "0:07", "1:01", "1:02:03"]


def test_an_end_needs_no_beginning():
    lone = Ended(outcome=None, is_cancelled=True, is_checked=False, commit=None, sentence="")
    row = the_row(board_after(lone), a_task(1, state=TaskState.CANCELLED))

    assert row.elapsed_s == 1
