from collections.abc import Callable
from typing import Unpack

import pytest

from kimi_mcp.history import DispatchId, History
from kimi_mcp.history.records import AttemptFacts, NewTask
from kimi_mcp.lifecycle import Outcome, TaskState
from turning import attempt_at, begun, told
from unwritten import new_dispatch

WEEK_AGO = "2026-01-01T12:00:00.000Z"


def at(hour: int, day: int = 2) -> str:
    return f"2026-01-{day:02}T{hour:02}:00:00.000Z"


def dispatched(history: History, token: str, account: str | None) -> DispatchId:
    id_ = DispatchId(f"001-work-{token}")
    history.add(
        new_dispatch(
            id_,
            account=account,
            findings=3,
            tasks=(NewTask(number=1, title="One", forecast={"low": 3, "high": 9}),),
        ),
        at=at(0),
    )
    history.claim(id_, at=at(0), runner_pid=1)
    begun(history, attempt_at(id_), at(1))
    return id_


def steps(history: History, dispatch: DispatchId, *moments: str) -> None:
    for number, moment in enumerate(moments, start=1):
        for tool in ("", "Edit"):
            step = told("task.step", moment, number=number, tool=tool, target="")
            history.tell(attempt_at(dispatch), step, facts={"steps": number})


def ended(history: History, dispatch: DispatchId, at: str, **facts: Unpack[AttemptFacts]) -> None:
    history.tell(attempt_at(dispatch), told("task.ended", at), facts=facts, is_last=True)


def charge(history: History, dispatch: DispatchId, *, steps: int, possible: int, at: str) -> None:
    history.charge(
        attempt_at(dispatch),
        told("task.charged", at, steps=steps, possible=possible),
        steps=steps,
        possible=possible,
    )


def spent(history: History, account: str | None, since: str) -> tuple[int, int]:
    found = history.spent(account, since=since)
    return found.steps, found.possible


def test_steps_are_added_up_by_account_after_a_moment(history: History):
    mine, theirs = dispatched(history, "aaaa", "me"), dispatched(history, "bbbb", "them")
    nobodys = dispatched(history, "cccc", None)
    steps(history, mine, at(1), at(2), at(2), at(5))
    steps(history, theirs, at(3))
    steps(history, nobodys, at(3), at(4))

    assert spent(history, "me", at(0)) == (4, 0)
    assert spent(history, "me", at(1)) == (3, 0)
    assert spent(history, "them", at(0)) == (1, 0)
    assert spent(history, None, at(0)) == (2, 0)
    assert spent(history, "nobody", at(0)) == (0, 0)
    assert history.accounts() == (None, "them", "me")
    assert history.spent_by_hour("me", since=at(0)) == {
        "2026-01-02T01": 1,
        "2026-01-02T02": 2,
        "2026-01-02T05": 1,
    }


def test_what_was_found_out_later_counts_from_then(history: History):
    mine = dispatched(history, "aaaa", "me")
    steps(history, mine, at(1))
    charge(history, mine, steps=2, possible=1, at=at(4))

    assert spent(history, "me", at(0)) == (3, 1)
    assert spent(history, "me", at(3)) == (2, 1)
    assert history.spent_by_hour("me", since=at(3)) == {"2026-01-02T04": 2}
    task = history.task(mine, 1)
    assert (task.steps, task.possible_steps) == (3, 1)


def test_the_last_time_that_the_quota_was_gone_is_known_by_account(history: History):
    mine, theirs = dispatched(history, "aaaa", "me"), dispatched(history, "bbbb", "them")
    ended(history, mine, at(6), outcome=Outcome.QUOTA_EXHAUSTED, quote="usage limit")
    ended(history, theirs, at(7), steps=4, commit_id="c" * 40)

    stop = history.last_quota_stop("me")
    assert stop is not None
    assert (stop.at, stop.dispatch, stop.quote) == (at(6), mine, "usage limit")
    assert history.last_quota_stop("them") is None
    assert history.last_step("me") is None
    assert history.last_step("them") == at(7)


def test_tasks_that_are_over_tell_what_they_took_and_what_was_expected(history: History):
    mine = dispatched(history, "aaaa", "me")
    dispatched(history, "bbbb", "me")  # still running
    steps(history, mine, at(1), at(1))
    history.advance_attempt(
        mine, 1, 1, input_tokens=50, cached_tokens=20, output_tokens=7, commit_id="c" * 40
    )
    ended(history, mine, at(2))
    history.move_task(mine, 1, source=TaskState.RUNNING, target=TaskState.CHECKING, at=at(2))
    history.move_task(
        mine,
        1,
        source=TaskState.CHECKING,
        target=TaskState.DELIVERED,
        at=at(2),
        branch="kimi/x/task-1",
        commit_id="c" * 40,
    )

    (worked,) = history.worked()
    assert (worked.dispatch, worked.steps, worked.is_delivered) == (mine, 2, True)
    assert (worked.profile, worked.findings, worked.forecast) == (
        "moderato",
        3,
        {"low": 3, "high": 9},
    )
    assert (worked.input_tokens, worked.cached_tokens, worked.output_tokens) == (50, 20, 7)
    assert worked.worked_s == pytest.approx(3600, abs=0.01)
    assert history.worked(since=at(1)) == ()


def test_replies_are_added_up(history: History):
    history.note_reply("get_result", 400, at=at(1))
    history.note_reply("dispatch_spec", 100, at=at(2))

    assert history.replied(since=at(0)) == (2, 500)
    assert history.replied(since=at(1)) == (1, 100)


def test_counting_a_week_of_steps_takes_no_look_at_other_events(
    history: History, add: Callable[..., DispatchId]
):
    add(history)
    with history.reading() as unit:
        plan = unit.connection.execute(
            "EXPLAIN QUERY PLAN SELECT count(*) FROM events AS e INDEXED BY steps_in_time "
            "WHERE e.kind = 'task.step' AND json_extract(e.payload, '$.tool') = '' AND e.at > ?",
            (WEEK_AGO,),
        ).fetchall()

    assert any("steps_in_time (at>?)" in row["detail"] for row in plan)
