import json
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kimi_mcp.history import DispatchId, History
from kimi_mcp.history.records import Attempt, Change, Check, Event
from kimi_mcp.lifecycle import Outcome

NOON = "2026-01-02T12:00:00.000Z"
ONE = "2026-01-02T13:00:00.000Z"


def test_attempts_are_numbered_and_grow_until_they_end(history: History, queued: DispatchId):
    first = history.begin_attempt(queued, 1, base_commit="b", at=NOON, feedback="Mind the edge.")
    assert history.advance_attempt(queued, 1, first, session_id="s", steps=3, input_tokens=10)
    assert history.advance_attempt(queued, 1, first, steps=5, cached_tokens=4, output_tokens=2)
    assert history.finish_attempt(
        queued,
        1,
        first,
        at=ONE,
        commit_id="c",
        ref="refs/kimi/x",
        closing_words="Done.",
        outcome=Outcome.CHECKS_FAILED,
        sentence="A check failed.",
    )
    second = history.begin_attempt(queued, 1, base_commit="c", at=ONE)
    history.advance_attempt(queued, 1, second, steps=2)

    assert (first, second) == (1, 2)
    assert history.attempts(queued, 1)[0] == Attempt(
        dispatch=queued,
        task=1,
        attempt=1,
        session_id="s",
        base_commit="b",
        commit_id="c",
        ref="refs/kimi/x",
        steps=5,
        input_tokens=10,
        cached_tokens=4,
        output_tokens=2,
        started_at=NOON,
        ended_at=ONE,
        closing_words="Done.",
        quote=None,
        outcome=Outcome.CHECKS_FAILED,
        sentence="A check failed.",
        feedback="Mind the edge.",
    )
    task = history.task(queued, 1)
    assert (task.attempts, task.steps) == (2, 7)


def test_an_attempt_that_is_over_never_changes(history: History, queued: DispatchId):
    history.begin_attempt(queued, 1, base_commit="b", at=NOON)
    history.finish_attempt(queued, 1, 1, at=ONE, steps=4)
    before = history.attempts(queued, 1)

    assert not history.advance_attempt(queued, 1, 1, steps=9)
    assert not history.finish_attempt(queued, 1, 1, at=NOON)
    assert history.attempts(queued, 1) == before


def test_a_task_has_one_unfinished_attempt_at_most(history: History, queued: DispatchId):
    history.begin_attempt(queued, 1, base_commit="b", at=NOON)

    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        history.begin_attempt(queued, 1, base_commit="b", at=NOON)


def test_an_attempt_needs_a_task(history: History, queued: DispatchId):
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        history.begin_attempt(queued, 9, base_commit="b", at=NOON)


def test_checks_and_changes_come_back_as_they_went_in(history: History, queued: DispatchId):
    checks = (
        Check(position=1, command="pytest", exit_code=1, duration_ms=1200, output_tail="1 failed"),
        Check(
            position=2,
            command="npm test",
            directory="web",
            exit_code=None,
            is_timed_out=True,
            duration_ms=600_000,
            output_tail="",
        ),
    )
    changes = (
        Change(path="a.py", status="M", added=3, deleted=1),
        Change(path="logo.png", status="A", added=None, deleted=None, stray_reason="not listed"),
    )
    history.begin_attempt(queued, 1, base_commit="b", at=NOON)

    history.record_checks(queued, 1, 1, checks)
    history.record_changes(queued, 1, 1, changes)

    assert history.checks(queued, 1, 1) == checks
    assert history.changes(queued, 1, 1) == changes
    assert history.checks(queued, 1, 2) == ()


def test_all_checks_are_recorded_or_none(history: History, queued: DispatchId):
    history.begin_attempt(queued, 1, base_commit="b", at=NOON)
    same = Check(position=1, command="x", exit_code=0, duration_ms=1, output_tail="")

    with pytest.raises(sqlite3.IntegrityError):
        history.record_checks(queued, 1, 1, (same, same))

    assert history.checks(queued, 1, 1) == ()


def test_events_are_numbered_and_read_after_a_number(history: History, queued: DispatchId):
    assert history.append_event(queued, kind="runner.started", at=NOON) == 1
    assert (
        history.append_event(
            queued, kind="step", at=ONE, task=2, attempt=1, payload={"step": 7, "tool": "Edit é"}
        )
        == 2
    )
    history.append_event(queued, kind="step", at=ONE, task=1)

    assert history.events(queued, task=2) == (
        Event(
            dispatch=queued,
            number=2,
            task=2,
            attempt=1,
            at=ONE,
            kind="step",
            payload={"step": 7, "tool": "Edit é"},
        ),
    )
    assert [event.number for event in history.events(queued, after=1)] == [2, 3]
    assert [event.number for event in history.events(queued, limit=1)] == [1]


@pytest.mark.parametrize("statement", ["UPDATE events SET kind = 'x'", "DELETE FROM events"])
def test_events_are_append_only(history: History, queued: DispatchId, statement: str):
    history.append_event(queued, kind="step", at=NOON)

    with (
        closing(sqlite3.connect(history.path)) as connection,
        pytest.raises(sqlite3.IntegrityError, match="append only"),
    ):
        connection.execute(statement)


_any_text = st.text(st.characters(exclude_categories=()))


@settings(
    deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=_any_text)
@example(text="half of an emoji: \ud83d")
def test_whatever_kimi_prints_can_be_stored(history: History, text: str, queued: DispatchId):
    number = history.append_event(queued, kind="said", at=NOON, payload={"text": text})
    attempt = history.begin_attempt(queued, 1, base_commit="b", at=NOON)
    history.finish_attempt(queued, 1, attempt, at=ONE, closing_words=text)

    assert history.events(queued, after=number - 1)[0].payload == json.loads(
        json.dumps({"text": text})
    )
    stored = history.attempts(queued, 1)[-1].closing_words
    assert stored == text.encode("utf-8", "backslashreplace").decode()


def _append_many(path: str, dispatch: DispatchId, count: int) -> list[int]:
    history = History.open(Path(path))
    return [history.append_event(dispatch, kind="step", at=NOON) for _ in range(count)]


def test_eight_processes_write_at_once_and_events_have_no_gap(history: History, queued: DispatchId):
    with ProcessPoolExecutor(8, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(_append_many, str(history.path), queued, 25) for _ in range(8)]
        numbers = [future.result(timeout=50) for future in futures]

    assert sorted(number for mine in numbers for number in mine) == list(range(1, 201))
    assert [event.number for event in history.events(queued)] == list(range(1, 201))


def test_threads_race_for_a_claim_and_one_wins(history: History, queued: DispatchId):
    gate = threading.Barrier(8)
    won: list[int] = []

    def claim(pid: int):
        gate.wait(5)
        if history.claim(queued, at=ONE, runner_pid=pid):
            won.append(pid)

    threads = [threading.Thread(target=claim, args=(pid,)) for pid in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert won == [history.dispatch(queued).runner_pid]


def test_a_follower_knows_when_somebody_else_wrote(history: History, queued: DispatchId):
    with history.follow(queued) as follower:
        assert follower.changed()
        assert not follower.changed()

        history.append_event(queued, kind="step", at=NOON)
        history.append_event(queued, kind="step", at=NOON)

        assert follower.changed()
        assert [event.number for event in follower.events(after=1)] == [2]
        assert not follower.changed()


def test_a_follower_may_change_threads(history: History, queued: DispatchId):
    seen: list[bool] = []
    with history.follow(queued) as follower:
        thread = threading.Thread(target=lambda: seen.append(follower.changed()))
        thread.start()
        thread.join(5)

    assert seen == [True]


def test_a_follower_reads_only_its_own_dispatch(
    history: History, queued: DispatchId, add: Callable[..., DispatchId]
):
    other = add(history, token="aaaa", spec_hash="other")
    history.append_event(other, kind="step", at=NOON)

    with history.follow(queued) as follower:
        assert follower.events(after=0) == ()
