"""Old dispatches give their steps away, and nothing that is counted or told changes by it."""

import random
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_mcp.history import DispatchId, History
from kimi_mcp.history.times import timestamp
from long_history import FIRST, lengthen, steps_of
from turning import attempt_at
from turning import told as event

LATER = "2026-06-01T00:00:00.000Z"
EVENTS = 42


@pytest.fixture
def ids(history: History) -> list[DispatchId]:
    made = lengthen(history.path, dispatches=30, events=EVENTS, apart=timedelta(hours=7))
    return [DispatchId(name) for name in made]


def told(history: History, dispatch: DispatchId) -> object:
    """Everything that is known of a dispatch besides its events."""
    about = history.dispatch(dispatch)
    task = history.task(dispatch, 1)
    return (
        (about.state, about.ended_at, history.spec_text(dispatch), history.runs(dispatch)),
        (task, history.attempts(dispatch, 1), history.landings(dispatch)),
        (history.checks(dispatch, 1, 1), history.changes(dispatch, 1, 1)),
    )


def ledger(history: History, *since: str) -> object:
    return [
        (history.spent("me", since=one), history.spent_by_hour("me", since=one)) for one in since
    ]


def test_the_events_go_but_the_last_and_what_came_of_them_stays(
    history: History, ids: list[DispatchId]
) -> None:
    before = told(history, ids[3])

    assert history.condense(ids[3], at=LATER)

    assert [event.kind for event in history.events(ids[3])] == ["task.ended"]
    assert history.dispatch(ids[3]).condensed_at == LATER
    assert told(history, ids[3]) == before
    assert len(history.events(ids[4])) == EVENTS
    assert history.last_event(ids[3]) == EVENTS


def test_it_happens_once_and_never_to_a_live_one(history: History, ids: list[DispatchId]) -> None:
    history.condense(ids[0], at=LATER)
    history.reopen(ids[1], errand={}, tasks=(1,), amendments={}, at=LATER)

    assert not history.condense(ids[0], at=LATER)
    assert not history.condense(ids[1], at=LATER)
    assert not history.condense(DispatchId("001-no-such"), at=LATER)
    assert len(history.events(ids[1])) == EVENTS


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6))
def test_the_ledger_is_the_same_for_every_moment_whatever_went(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    rng = random.Random(seed)
    history = History.open(tmp_path_factory.mktemp("ledger") / "history.db")
    events = rng.randint(2, 30)
    ids = lengthen(
        history.path, dispatches=5, events=events, apart=timedelta(minutes=rng.randint(1, 90))
    )
    for name in ids:
        if rng.random() < 0.5:
            found = {"steps": rng.randint(0, 9), "possible": rng.randint(0, 3)}
            moment = timestamp(FIRST + timedelta(minutes=rng.randint(0, 500)))
            history.charge(attempt_at(name), event("task.charged", moment, **found), **found)
    moments = [timestamp(FIRST + timedelta(minutes=rng.randint(-9, 500))) for _ in range(8)]
    before = ledger(history, "", *moments)

    for name in rng.sample(ids, k=rng.randint(1, 5)):
        history.condense(DispatchId(name), at=LATER)

    assert ledger(history, "", *moments) == before


def test_events_of_all_others_are_never_deleted(history: History, ids: list[DispatchId]) -> None:
    history.condense(ids[0], at=LATER)

    with closing(sqlite3.connect(history.path)) as raw:
        raw.execute("DELETE FROM events WHERE dispatch = ?", (ids[0],))
        with pytest.raises(sqlite3.IntegrityError, match="append only"):
            raw.execute("DELETE FROM events WHERE dispatch = ?", (ids[1],))


def test_a_condensed_dispatch_is_taken_up_where_its_numbers_ended(
    history: History, ids: list[DispatchId]
) -> None:
    history.condense(ids[0], at=LATER)

    run = history.reopen(ids[0], errand={}, tasks=(1,), amendments={}, at=LATER)

    assert run is not None
    found = history.run(run)
    assert found is not None
    assert found.first_event == EVENTS + 1
    history.tell(attempt_at(ids[0]), event("x", LATER))
    assert history.events(ids[0])[-1].number == EVENTS + 1
    assert history.dispatch(ids[0]).condensed_at is None


def test_those_that_are_whole_are_named_from_the_oldest_up_to_a_moment(
    history: History, ids: list[DispatchId]
) -> None:
    history.condense(ids[1], at=LATER)
    until = history.dispatch(ids[4]).ended_at

    assert until is not None
    assert [*history.whole(until=until)] == [ids[0], ids[2], ids[3], ids[4]]
    assert len([*history.whole()]) == len(ids) - 1


def test_naming_them_goes_on_over_many_that_ended_at_one_moment(tmp_path: Path) -> None:
    history = History.open(tmp_path / "history.db")
    lengthen(history.path, dispatches=250, events=1, apart=timedelta())

    assert len({*history.whole()}) == 250


def test_what_went_is_given_back_to_the_disk_when_the_file_is_compacted(
    history: History, ids: list[DispatchId]
) -> None:
    size, used = history.path.stat().st_size, history.used_bytes()

    for dispatch in ids:
        history.condense(dispatch, at=LATER)
    assert history.used_bytes() < used * 0.6
    assert history.unused_bytes() > size / 4
    given_back = history.compact()

    assert history.path.stat().st_size == size - given_back < size * 0.75
    assert history.unused_bytes() == 0
    assert history.damage() == ()
    assert history.spent("me", since="").steps == len(ids) * steps_of(EVENTS)
