"""A run is what a caller waits for: it has an id of its own, and its end is final."""

import sqlite3
from contextlib import closing

import pytest

from kimi_mcp.history import DispatchId, History
from kimi_mcp.history.ids import RunId
from kimi_mcp.history.records import Run
from kimi_mcp.history.store import connect
from kimi_mcp.lifecycle import DispatchState
from turning import attempt_at, begun, told

NOON = "2026-01-02T12:00:00.000Z"
ONE = "2026-01-02T13:00:00.000Z"
TWO = "2026-01-02T14:00:00.000Z"


def end(history: History, dispatch: DispatchId, *, at: str) -> None:
    history.move_dispatch(
        dispatch, source=DispatchState.QUEUED, target=DispatchState.CANCELLED, at=at
    )


def reopen(history: History, dispatch: DispatchId, *, revised: int | None = None) -> RunId | None:
    return history.reopen(dispatch, errand={}, tasks=(1,), amendments={}, at=ONE, revised=revised)


def test_a_dispatch_is_its_own_first_run(history: History, queued: DispatchId) -> None:
    assert history.run(queued) == Run(
        id=RunId(queued),
        dispatch=queued,
        number=1,
        task=None,
        first_event=1,
        began_at=NOON,
        ended_at=None,
        state=None,
    )
    assert history.run(f"{queued}.r1") is None


def test_each_taking_up_is_a_run_of_its_own_and_the_earlier_ones_stay_over(
    history: History, queued: DispatchId
) -> None:
    history.tell(attempt_at(queued), told("task.note", NOON))
    end(history, queued, at=ONE)
    assert reopen(history, queued) == f"{queued}.r1"
    begun(history, attempt_at(queued), NOON)
    end(history, queued, at=TWO)
    assert reopen(history, queued, revised=1) == f"{queued}.t1.a2"

    runs = history.runs(queued)

    assert [(run.number, run.task, run.first_event) for run in runs] == [
        (1, None, 1),
        (2, None, 2),
        (3, 1, 3),
    ]
    assert [(run.ended_at, run.state) for run in runs] == [
        (ONE, DispatchState.CANCELLED),
        (TWO, DispatchState.CANCELLED),
        (None, None),
    ]


def test_a_run_that_never_came_to_its_attempt_keeps_its_id(
    history: History, queued: DispatchId
) -> None:
    end(history, queued, at=ONE)
    assert reopen(history, queued, revised=2) == f"{queued}.t2.a1"
    end(history, queued, at=TWO)

    assert reopen(history, queued, revised=2) == f"{queued}.t2.a2"


def test_the_end_of_a_run_cannot_be_taken_back(history: History, queued: DispatchId) -> None:
    end(history, queued, at=ONE)

    with closing(connect(history.path)) as raw, pytest.raises(sqlite3.IntegrityError):
        raw.execute("UPDATE runs SET state = 'finished' WHERE id = ?", (queued,))
