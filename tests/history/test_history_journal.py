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
from kimi_mcp.history.records import Attempt, Change, Check, Event, Finding, FindingKind, Rerun
from kimi_mcp.history.turns import Address, Move
from kimi_mcp.lifecycle import DispatchState, Outcome, TaskState
from patience import PATIENCE_S
from turning import attempt_at, begun, told

NOON = "2026-01-02T12:00:00.000Z"
ONE = "2026-01-02T13:00:00.000Z"


def test_attempts_are_numbered_and_grow_until_they_end(history: History, queued: DispatchId):
    assert history.claim(queued, at=NOON, runner_pid=1)
    first = begun(history, attempt_at(queued), NOON, base="b", feedback="Mind the edge.")
    assert history.advance_attempt(queued, 1, 1, session_id="s", steps=3, input_tokens=10)
    assert history.advance_attempt(queued, 1, 1, steps=5, cached_tokens=4, output_tokens=2)
    assert history.tell(
        first,
        told("task.ended", ONE),
        move=Move(source=TaskState.RUNNING, target=TaskState.FAILED, outcome=Outcome.CHECKS_FAILED),
        facts={
            "commit_id": "c",
            "ref": "refs/kimi/x",
            "closing_words": "Done.",
            "outcome": Outcome.CHECKS_FAILED,
            "sentence": "A check failed.",
        },
        is_last=True,
    )
    assert history.lose(queued, source=DispatchState.RUNNING, at=ONE, note="Lost.")
    assert history.reopen(queued, errand={}, tasks=(1,), amendments={}, at=ONE)
    begun(history, attempt_at(queued, attempt=2), ONE, base="c")
    history.advance_attempt(queued, 1, 2, steps=2)

    assert [attempt.attempt for attempt in history.attempts(queued, 1)] == [1, 2]
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
        fence_gaps=None,
    )
    task = history.task(queued, 1)
    assert (task.attempts, task.steps) == (2, 7)


def test_an_attempt_that_is_over_never_changes(history: History, queued: DispatchId):
    running = begun(history, attempt_at(queued), NOON)
    history.tell(running, told("task.ended", ONE), facts={"steps": 4}, is_last=True)
    before = history.attempts(queued, 1)

    assert not history.advance_attempt(queued, 1, 1, steps=9)
    history.tell(running, told("task.ended", NOON), facts={"steps": 9}, is_last=True)
    assert history.attempts(queued, 1) == before


def insert_attempt(history: History, dispatch: DispatchId, task: int) -> None:
    """Insert an attempt without a look at the task's state: the schema is what refuses it."""
    with history.writing() as unit:
        unit.run(
            "insert_attempt", dispatch=dispatch, task=task, base_commit="b", at=NOON, feedback=None
        ).fetchall()


def test_a_task_has_one_unfinished_attempt_at_most(history: History, queued: DispatchId):
    begun(history, attempt_at(queued), NOON)

    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        insert_attempt(history, queued, 1)


def test_an_attempt_needs_a_task(history: History, queued: DispatchId):
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        insert_attempt(history, queued, 9)


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
            fault="no test ran",
            again=Rerun.PASSED,
            on_base=Rerun.FAILED,
        ),
    )
    changes = (
        Change(path="a.py", status="M", added=3, deleted=1),
        Change(
            path="logo.png",
            status="A",
            added=None,
            deleted=None,
            stray_reason="not listed",
            nature="x",
        ),
    )
    running = begun(history, attempt_at(queued), NOON)

    history.tell(running, told("task.checked", ONE), checks=checks, changes=changes)

    assert history.checks(queued, 1, 1) == checks
    assert history.changes(queued, 1, 1) == changes
    assert history.checks(queued, 1, 2) == ()


def test_findings_come_back_in_the_order_in_which_they_were_made(
    history: History, queued: DispatchId
):
    first, second, third = (
        Finding(kind=FindingKind.WEAKENED, path=f"{name}.py", line=line, text="less")
        for name, line in (("b", 3), ("a", None), ("a", 1))
    )
    running = begun(history, attempt_at(queued), NOON)

    history.tell(running, told("task.committed", ONE), findings=(first, second))
    history.tell(running, told("task.checked", ONE), findings=(third,))

    assert history.findings(queued, 1, 1) == (first, second, third)
    assert history.findings(queued, 1, 2) == ()


@pytest.mark.parametrize(
    ("exit_code", "fault", "again", "is_passed"),
    [
        (0, None, None, True),
        (0, "no test ran", None, False),
        (1, None, None, False),
        (1, None, Rerun.FAILED, False),
        (1, None, Rerun.PASSED, True),
    ],
)
def test_a_check_passes_by_its_last_run(
    exit_code: int, fault: str | None, again: Rerun | None, *, is_passed: bool
):
    check = Check(
        position=1,
        command="x",
        exit_code=exit_code,
        duration_ms=1,
        output_tail="",
        fault=fault,
        again=again,
    )

    assert check.is_passed == is_passed


def test_all_checks_are_recorded_and_told_of_or_none(history: History, queued: DispatchId):
    running = begun(history, attempt_at(queued), NOON)
    same = Check(position=1, command="x", exit_code=0, duration_ms=1, output_tail="")

    with pytest.raises(sqlite3.IntegrityError):
        history.tell(running, told("task.checked", ONE), checks=(same, same))

    assert history.checks(queued, 1, 1) == ()
    assert [event.kind for event in history.events(queued)] == ["task.started"]


def test_events_are_numbered_and_read_after_a_number(history: History, queued: DispatchId):
    history.tell(attempt_at(queued), told("task.started", NOON))
    history.tell(attempt_at(queued, 2), told("step", ONE, step=7, tool="Edit é"))
    history.tell(attempt_at(queued), told("step", ONE))

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
    history.tell(attempt_at(queued), told("step", NOON))

    with (
        closing(sqlite3.connect(history.path)) as connection,
        pytest.raises(sqlite3.IntegrityError, match="append only"),
    ):
        connection.execute(statement)


@pytest.fixture
def running(history: History, queued: DispatchId) -> Address:
    return begun(history, attempt_at(queued), NOON)


_any_text = st.text(st.characters(exclude_categories=()))


@settings(
    deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=_any_text)
@example(text="half of an emoji: \ud83d")
def test_whatever_kimi_prints_can_be_stored(history: History, text: str, running: Address):
    queued = running.dispatch
    history.tell(running, told("said", NOON, text=text), facts={"closing_words": text})

    assert history.events(queued)[-1].payload == json.loads(json.dumps({"text": text}))
    stored = history.attempts(queued, 1)[-1].closing_words
    assert stored == text.encode("utf-8", "backslashreplace").decode()


def _tell_many(path: str, dispatch: DispatchId, writer: int, count: int) -> None:
    history = History.open(Path(path))
    for number in range(count):
        history.tell(attempt_at(dispatch), told("step", NOON, writer=writer, number=number))


def test_eight_processes_write_at_once_and_each_event_is_there_once_without_a_gap(
    history: History, queued: DispatchId
):
    with ProcessPoolExecutor(8, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(_tell_many, str(history.path), queued, n, 25) for n in range(8)]
        for future in futures:
            future.result(timeout=PATIENCE_S)

    events = history.events(queued)
    assert [event.number for event in events] == list(range(1, 201))
    for writer in range(8):
        mine = [event.payload["number"] for event in events if event.payload["writer"] == writer]
        assert mine == list(range(25))


def test_threads_race_for_a_claim_and_one_wins(history: History, queued: DispatchId):
    gate = threading.Barrier(8)
    won: list[int] = []

    def claim(pid: int):
        gate.wait(PATIENCE_S)
        if history.claim(queued, at=ONE, runner_pid=pid):
            won.append(pid)

    threads = [threading.Thread(target=claim, args=(pid,)) for pid in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)

    assert won == [history.dispatch(queued).runner_pid]


def test_a_follower_knows_when_somebody_else_wrote(history: History, queued: DispatchId):
    with history.follow(queued) as follower:
        assert follower.changed()
        assert not follower.changed()

        history.tell(attempt_at(queued), told("step", NOON))
        history.tell(attempt_at(queued), told("step", NOON))

        assert follower.changed()
        assert [event.number for event in follower.events(after=1)] == [2]
        assert not follower.changed()


def test_a_follower_may_change_threads(history: History, queued: DispatchId):
    seen: list[bool] = []
    with history.follow(queued) as follower:
        thread = threading.Thread(target=lambda: seen.append(follower.changed()))
        thread.start()
        thread.join(PATIENCE_S)

    assert seen == [True]


def test_a_follower_reads_only_its_own_dispatch(
    history: History, queued: DispatchId, add: Callable[..., DispatchId]
):
    other = add(history, token="aaaa", spec_hash="other")
    history.tell(attempt_at(other), told("step", NOON))

    with history.follow(queued) as follower:
        assert follower.events(after=0) == ()


def test_words_of_workers_reach_the_file_without_their_secrets(
    tmp_path: Path, add: Callable[..., DispatchId]
):
    history = History.open(
        tmp_path / "history.db", redact=lambda text: text.replace("HUSH", "[redacted]")
    )
    queued = add(history)
    running = begun(history, attempt_at(queued), NOON)

    said = {"text": "HUSH", "inner": [{"line": 'a "HUSH"\nHUSH'}], "number": 1}
    check = Check(position=1, command="true", exit_code=0, duration_ms=1, output_tail="HUSH")
    secret = Finding(kind=FindingKind.SECRET, path="a", text="HUSH is in it")
    history.note_task(queued, 1, "It said HUSH.")
    history.tell(
        running,
        told("task.said", NOON, **said),
        checks=[check],
        findings=[secret],
        facts={"closing_words": "HUSH", "quote": "HUSH", "sentence": "HUSH"},
        is_last=True,
    )

    assert history.checks(queued, 1, 1)[0].output_tail == "[redacted]"
    assert history.events(queued)[-1].payload["inner"] == [{"line": 'a "[redacted]"\n[redacted]'}]
    assert history.attempts(queued, 1)[0].closing_words == "[redacted]"
    files = [file for file in tmp_path.iterdir() if file.name.startswith("history.db")]
    assert not [file.name for file in files if b"HUSH" in file.read_bytes()]


def test_looking_for_secrets_holds_nobody_up(tmp_path: Path, add: Callable[..., DispatchId]):
    other = History.open(tmp_path / "history.db")
    queued = add(other)

    def slow(text: str) -> str:
        other.tell(attempt_at(queued), told("task.noted", NOON))  # would wait for a held lock
        return text

    history = History.open(tmp_path / "history.db", redact=slow)
    history.note_task(queued, 1, "A sentence.")
    history.tell(attempt_at(queued), told("task.said", NOON, text="words"))

    assert [event.kind for event in history.events(queued)][-2:] == ["task.noted", "task.said"]
