"""The quota told: in every result, as a page, and as what the tasks have cost."""

# ruff: noqa: E501  whole pages as they are

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from inline_snapshot import snapshot

from dispatching import bench_of, configure, spec_of
from kimi_mcp.dispatch.expectation import predicted
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.records import NewTask
from kimi_mcp.history.times import timestamp
from kimi_mcp.lifecycle import DispatchState, Outcome, TaskState
from kimi_mcp.quota.forecast import Features, forecast
from kimi_mcp.review.economy import economy_report
from kimi_mcp.review.quota_page import quota_page
from kimi_mcp.review.report import report
from kimi_mcp.review.showing import final_text
from kimi_mcp.spec.parse import parse
from sandbox import Sandbox
from turning import attempt_at, begun, told
from unwritten import new_dispatch
from usage_host import Host, usage_host

NOON = datetime(2026, 1, 8, 12, tzinfo=UTC)
FEATURES = Features(files=2, kbytes=3.0, commands=1, kind="modify")
COMMIT = "c" * 40


@pytest.fixture
def host() -> Iterator[Host]:
    with usage_host() as told:
        yield told


@pytest.fixture
def bench(sandbox: Sandbox, host: Host) -> Workbench:
    """Return a bench at noon whose Kimi pays at the stand-in."""
    host.let_kimi_pay()
    return replace(bench_of(sandbox), now=lambda: NOON)


def account(bench: Workbench) -> str:
    from kimi_mcp.dispatch.budget import paying  # noqa: PLC0415

    found = paying(bench, bench.settings().profile_named("moderato"))
    assert found is not None
    return found.fingerprint


def worked(
    bench: Workbench,
    token: str,
    *,
    steps: int,
    ago: timedelta = timedelta(hours=1),
    findings: int | None = 0,
    profile: str = "moderato",
    payer: str | None = "",
    outcome: Outcome | None = None,
    possible: int = 0,
) -> DispatchId:
    """Write down a dispatch of one task that took *steps*."""
    id_ = DispatchId(f"001-work-{token}")
    at = timestamp(NOON - ago)
    history = bench.history
    history.add(
        new_dispatch(
            id_,
            bench.folder,
            profile=profile,
            account=account(bench) if payer == "" else payer,
            findings=findings,
            tasks=(NewTask(number=1, title="One", forecast=forecast(FEATURES, ()).to_json()),),
        ),
        at=at,
    )
    history.claim(id_, at=at, runner_pid=1)
    attempt = begun(history, attempt_at(id_), at)
    for number in range(1, steps + 1):
        history.tell(attempt, told("task.step", at, number=number, tool="", target=""))
    if possible:
        charged = told("task.charged", at, steps=0, possible=possible)
        history.charge(attempt, charged, steps=0, possible=possible)
    history.tell(
        attempt,
        told("task.ended", timestamp(NOON - ago + timedelta(minutes=6))),
        facts={
            "steps": steps,
            "input_tokens": 1_000 * steps,
            "cached_tokens": 800 * steps,
            "output_tokens": 50 * steps,
            "outcome": outcome,
            "commit_id": None if outcome else COMMIT,
        },
        is_last=True,
    )
    history.move_task(id_, 1, source=TaskState.RUNNING, target=TaskState.CHECKING, at=at)
    history.move_task(
        id_,
        1,
        source=TaskState.CHECKING,
        target=TaskState.FAILED if outcome else TaskState.DELIVERED,
        at=at,
        outcome=outcome,
        branch=None if outcome else f"kimi/{id_}/task-1",
        commit_id=None if outcome else COMMIT,
        is_checked=outcome is None,
    )
    history.move_dispatch(id_, source=DispatchState.RUNNING, target=DispatchState.FINISHED, at=at)
    return id_


def test_every_result_tells_what_it_took_was_expected_and_the_week_holds(bench: Workbench):
    worked(bench, "aaaa", steps=12, ago=timedelta(days=6))
    worked(bench, "cccc", steps=5, ago=timedelta(days=8))
    id_ = worked(bench, "bbbb", steps=18, possible=1)

    assert (
        "18 steps (possibly 1 more), predicted 5\N{EN DASH}9; "
        "at least 30 steps through kimi-mcp in 7 days."
    ) in final_text(report(bench, id_), bench.envelope()).splitlines()


def test_the_page_tells_windows_days_and_forecasts(bench: Workbench):
    configure("[profiles.moderato]\nweekly_steps = 2048\n")
    worked(bench, "aaaa", steps=40, ago=timedelta(days=2))
    worked(bench, "bbbb", steps=9)
    worked(bench, "cccc", steps=7, payer=None)
    worked(bench, "dddd", steps=3, possible=2)

    page = quota_page(bench).replace(account(bench)[:8], "ACCOUNT")

    assert page == snapshot("""\
# Quota of account ACCOUNT

Through kimi-mcp at least 52 of 2,048 steps in 7 days and 12 in 5 hours.
Possibly 2 more: Kimi was killed while it asked.
What is left is not asked of the account; quota.live = true in kimi-mcp.toml does that.

Steps a day (UTC):

```
2026-01-02 0
2026-01-03 0
2026-01-04 0
2026-01-05 0
2026-01-06 ████████████████████████████████████████ 40
2026-01-07 0
2026-01-08 ████████████ 12
```

Forecasts: of 4 earlier forecasts 2 held; the median error is 3 steps.
Also an account that is not known: at least 7 steps in 7 days, 7 in 5 hours.
One step is one request to the model, subagents and retries included. What Kimi did outside of kimi-mcp is not counted here.\
""")


def test_the_accounts_own_word_stands_beside_our_count_and_where_they_differ_it_is_said(
    bench: Workbench, host: Host
):
    configure("[quota]\nlive = true\n")
    host.body = (
        '{"usage": {"used": "20", "limit": "1000", "resetTime": "2026-01-09T00:00:00Z"},'
        ' "limits": []}'
    )
    worked(bench, "aaaa", steps=40)

    page = quota_page(bench)

    assert (
        "The account says (at 12:00 UTC): 7 days 2% used (20 of 1,000), renews 2026-01-09" in page
    )
    assert "In 7 days the account counts 20, kimi-mcp at least 40: they count differently." in page
    assert "sk-kimi-secret" not in page
    assert host.asked == [("/coding/v1/usages", "Bearer sk-kimi-secret")]


def test_what_the_account_does_not_tell_is_unknown(bench: Workbench, host: Host):
    configure("[quota]\nlive = true\n")
    host.status = 401

    assert "usage is unknown: the account does not accept" in quota_page(bench)


def test_without_being_told_so_nothing_is_asked_of_the_account(bench: Workbench, host: Host):
    quota_page(bench)

    assert host.asked == []


def test_a_stop_for_the_quota_tells_when_it_renews_where_that_is_known(
    bench: Workbench, host: Host
):
    configure("[quota]\nlive = true\n")
    host.body = '{"usages": {"limit_5h": {"used_ratio": 1, "reset_time": "2026-01-08T15:00:00Z"}}}'
    id_ = worked(bench, "aaaa", steps=4, outcome=Outcome.QUOTA_EXHAUSTED)

    assert "5 hours 100% used, renews 2026-01-08 15:00 UTC" in final_text(
        report(bench, id_), bench.envelope()
    )


def test_kimis_own_word_is_on_the_page_until_it_works_again(bench: Workbench):
    worked(bench, "aaaa", steps=4, outcome=Outcome.QUOTA_EXHAUSTED, ago=timedelta(hours=2))
    assert "Of 5 hours: gone, said Kimi at 10:06 UTC." in quota_page(bench)

    worked(bench, "bbbb", steps=4, ago=timedelta(hours=1))
    assert "gone" not in quota_page(bench)


def test_a_task_of_a_spec_whose_findings_nobody_counted_is_told_as_that(bench: Workbench):
    for number in range(3):
        worked(bench, f"eee{number}", steps=5, findings=None)
    worked(bench, "ffff", steps=5, findings=0)

    assert "\n| not counted | 3 | 100% | 5 |" in economy_report(bench)


def test_the_report_shows_what_tasks_cost_by_profile_and_by_how_exact_the_spec_was(
    bench: Workbench,
):
    configure("[quota]\nprice = { input = 5.0, cached = 0.5, output = 25.0 }\n")
    for number, steps in enumerate((6, 8, 7)):
        worked(bench, f"aaa{number}", steps=steps)
    for number, steps in enumerate((20, 30)):
        worked(bench, f"bbb{number}", steps=steps, findings=4)
    worked(bench, "cccc", steps=12, profile="swarm", outcome=Outcome.CHECKS_FAILED, findings=1)
    bench.history.note_reply("get_result", 4_000, at=timestamp(NOON))

    assert economy_report(bench) == snapshot("""\
# What 6 tasks of 90 days have cost

| profile | tasks | delivered | steps each | tokens in (cached) and out each | minutes each |
|---|---|---|---|---|---|
| moderato | 5 | 100% | 8 | 8,000 (6,400) and 400 | 6.0 |
| swarm | 1 | 0% | - | - | - |

By the findings that the spec still had when it was dispatched (fewer is more exact):

| findings | tasks | delivered | steps each | tokens in (cached) and out each | minutes each |
|---|---|---|---|---|---|
| 1 or 2 | 1 | 0% | - | - | - |
| 3 or more | 2 | 100% | 25 | 25,000 (20,000) and 1,250 | 6.0 |
| none | 3 | 100% | 7 | 7,000 (5,600) and 350 | 6.0 |

Replies to Claude: 1, about 1,000 tokens (an estimate), beside 83 steps of Kimi's.
The same tokens on Claude's model, at the prices set in quota.price: 0.22 (an estimate: another model takes other steps).\
""")


def test_without_prices_no_cost_is_made_up(bench: Workbench):
    assert economy_report(bench) == "No task was worked on in 90 days."
    worked(bench, "aaaa", steps=6)

    assert "is told when quota.price is set" in economy_report(bench)


def test_a_spec_is_predicted_from_what_similar_tasks_took(bench: Workbench, sandbox: Sandbox):
    task = parse(spec_of("One\nFiles:\n- CREATE a.py\n- CREATE b.py\n"), name="spec").task(1)
    by_the_rule = predicted(bench, [task], root=sandbox.root)

    for number in range(9):
        worked(bench, f"aaa{number}", steps=20)

    assert by_the_rule == "Predicted 5 to 9 steps (a rule of thumb)."
    assert predicted(bench, [task], root=sandbox.root) == (
        "Predicted 20 to 20 steps (from 9 similar tasks)."
    )
