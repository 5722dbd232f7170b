"""An event and what follows from it are written together, or not at all."""

import pytest

from kimi_mcp.history import DispatchId, History
from kimi_mcp.history.turns import Address, Move, Told
from kimi_mcp.lifecycle import TaskState
from unwritten import BASE, new_dispatch

ID = DispatchId("001-work-7k3f")
AT = "2026-01-02T12:00:00.000Z"
FIRST = Address(dispatch=ID, task=1, attempt=1)


def told(kind: str) -> Told:
    return Told(kind=kind, payload={}, at=AT)


@pytest.fixture
def begun(history: History) -> History:
    history.add(new_dispatch(ID), at=AT)
    assert history.claim(ID, at=AT, runner_pid=1)
    assert history.begin_turn(FIRST, told("task.started"), base_commit=BASE, feedback=None)
    return history


def kinds(history: History) -> list[str]:
    return [event.kind for event in history.events(ID)]


def test_an_attempt_begins_with_its_event_and_its_tasks_state(begun: History) -> None:
    (attempt,) = begun.attempts(ID, 1)

    assert (attempt.attempt, attempt.ended_at) == (1, None)
    assert begun.task(ID, 1).state is TaskState.RUNNING
    assert kinds(begun) == ["task.started"]


def test_a_turn_that_comes_second_changes_nothing(begun: History) -> None:
    second = Address(dispatch=ID, task=1, attempt=2)

    assert not begun.begin_turn(second, told("task.started"), base_commit=BASE, feedback=None)

    assert len(begun.attempts(ID, 1)) == 1
    assert kinds(begun) == ["task.started"]


def test_an_end_is_the_attempts_the_tasks_and_the_events(begun: History) -> None:
    move = Move(source=TaskState.RUNNING, target=TaskState.CANCELLED, sentence="Stopped.")

    assert begun.tell(FIRST, told("task.ended"), move=move, facts={"steps": 3}, is_last=True)
    assert not begun.tell(FIRST, told("task.ended"), move=move, facts={"steps": 9}, is_last=True)

    (attempt,) = begun.attempts(ID, 1)
    assert (attempt.ended_at, attempt.steps) == (AT, 3)
    assert begun.task(ID, 1).state is TaskState.CANCELLED
    assert kinds(begun) == ["task.started", "task.ended"]


def test_a_step_that_cannot_be_told_is_not_counted(begun: History) -> None:
    nonsense = Told(kind="task.step", payload={}, at="yesterday")

    with pytest.raises(Exception, match="CHECK"):
        begun.tell(FIRST, nonsense, facts={"steps": 7})

    assert begun.attempts(ID, 1)[0].steps == 0


def test_a_move_that_the_table_does_not_have_is_a_bug() -> None:
    with pytest.raises(ValueError, match="does not move"):
        Move(source=TaskState.WAITING, target=TaskState.DELIVERED)
