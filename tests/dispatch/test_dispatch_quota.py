"""What happens when the plan's allowance is gone, with the real Kimi Code."""

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from dispatching import (
    SPEC_PATH,
    bench_of,
    configure,
    dispatched,
    followed,
    spec_of,
    specify,
)
from kimi_mcp.demo.script import Reply, say, write
from kimi_mcp.dispatch.admission import LaunchWish, admit
from kimi_mcp.dispatch.launch import launch, preview
from kimi_mcp.dispatch.retake import resume
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import Refused
from kimi_mcp.lifecycle import DispatchState, Outcome, TaskState
from kimi_mcp.quota.admission import Way
from patience import PATIENCE_S
from sandbox import Sandbox, StartModel
from usage_host import Host, usage_host

GONE = Reply(
    status=403,
    body={"error": {"message": "You've reached your usage limit for this billing cycle."}},
)


def task(number: int) -> str:
    return (
        f"Make ({number})\nFiles:\n- CREATE made-{number}.txt\n"
        f"Verification:\n- `test -s made-{number}.txt`\n"
    )


def makes(number: int) -> Reply:
    return write(f"made-{number}.txt", "made\n")


async def test_a_quota_stop_pauses_the_others_and_a_resume_delivers_all_four(
    sandbox: Sandbox, start_model: StartModel
):
    asked = threading.Event()
    scripts: dict[str, Sequence[Reply]] = {
        "(1)": [makes(1), replace(GONE, wait_for=asked)],
        "(2)": [makes(2), Reply(hang="headers")],
        "(3)": [makes(3), Reply(hang="headers")],
        "(4)": [makes(4), say("Done.")],
        "was interrupted": [say("Done.")],
    }
    model = start_model(scripts)
    specify(sandbox, spec_of(*(task(number) for number in range(1, 5))))
    bench = bench_of(sandbox)

    with anyio.fail_after(PATIENCE_S):
        launched = await anyio.to_thread.run_sync(
            launch, bench, LaunchWish(spec=SPEC_PATH, max_parallel=3)
        )
        for number in (2, 3):
            assert await anyio.to_thread.run_sync(model.reached(f"({number})", 1).wait, 60)
        asked.set()
        done = await followed(bench, launched)

        assert done.report.dispatch.state is DispatchState.FINISHED
        assert done.outcomes == {
            1: Outcome.QUOTA_EXHAUSTED,
            2: TaskState.CANCELLED,
            3: TaskState.CANCELLED,
            4: TaskState.CANCELLED,
        }
        for number in (2, 3):
            item = done.task(number)
            assert (item.task.sentence or "").startswith("Paused: ")
            assert item.head is not None
            assert sandbox.show(item.head, f"made-{number}.txt") == "made"
        assert done.task(4).task.sentence is not None
        assert "Paused before it began" in (done.task(4).task.sentence or "")

        again = await anyio.to_thread.run_sync(resume, bench, done.id)
        resumed = await followed(bench, again)

    assert resumed.outcomes == dict.fromkeys(range(1, 5), TaskState.DELIVERED)


async def test_kimis_own_word_refuses_the_next_dispatch_until_the_user_agrees(
    sandbox: Sandbox, start_model: StartModel
):
    start_model({"(1)": [makes(1), GONE], "(2)": [makes(2), say("Done.")]})
    specify(sandbox, spec_of(task(1)))
    done = await dispatched(sandbox)
    assert done.outcomes == {1: Outcome.QUOTA_EXHAUSTED}
    bench = done.bench
    spec = spec_of("First\nFiles:\n- CREATE x.txt\n", task(2))
    sandbox.write("specs/002-more.md", spec.replace("001", "002"))
    sandbox.commit("More")
    wish = LaunchWish(spec="2", tasks=(2,))

    with pytest.raises(Refused, match=r"wait: the quota of 5 hours is gone, said Kimi at.*agrees"):
        await anyio.to_thread.run_sync(launch, bench, wish)
    later = replace(bench, now=lambda: datetime.now(UTC) + timedelta(hours=5, minutes=1))
    assert "can start" in await previewed(later, wish)
    assert "cannot start" in await previewed(bench, wish)
    assert "can start" in await previewed(bench, replace(wish, is_over_quota=True))


async def previewed(bench: Workbench, wish: LaunchWish) -> str:
    return await anyio.to_thread.run_sync(preview, bench, wish)


def write_settings(**profile: object) -> None:
    rows = "\n".join(f"{key} = {value}" for key, value in profile.items())
    configure(f"[profiles.moderato]\n{rows}\n")


async def test_our_own_count_only_warns(sandbox: Sandbox, start_model: StartModel):
    start_model({"(1)": [makes(1), say("Done.")]})
    write_settings(weekly_steps=3)
    specify(sandbox, spec_of(task(1)))

    done = await dispatched(sandbox)

    assert done.outcomes == {1: TaskState.DELIVERED}
    assert "Quota: go; 4 to 6 steps expected, and of 3 in 7 days at least 0 are spent" in done.text


async def test_a_dry_run_tells_the_steps_that_are_expected_and_on_what_that_rests(
    sandbox: Sandbox, start_model: StartModel
):
    start_model({"(1)": [makes(1), say("Done.")]})
    specify(sandbox, spec_of(task(1)))
    done = await dispatched(sandbox)

    sandbox.write(SPEC_PATH, spec_of(task(1) + "\n").replace("Make", "Make again"))
    told = await previewed(done.bench, LaunchWish(spec="1"))

    assert "4 to 6 steps expected" in told
    assert "rule of thumb: 3 steps a task and 1 to 3 a file" in told
    assert "of 1 earlier forecasts 0 held; the median error is 3 steps" in told
    assert "Through kimi-mcp at least 2 steps in 7 days and 2 in 5 hours." in told


@pytest.fixture
def host() -> Iterator[Host]:
    with usage_host() as told:
        yield told


@pytest.fixture
def live(sandbox: Sandbox, host: Host) -> Workbench:
    """A bench whose account is asked, with a spec of two tasks."""
    host.let_kimi_pay()
    configure("[quota]\nlive = true\n[profiles.moderato]\nweekly_steps = 100\n")
    specify(sandbox, spec_of(task(1), task(2)))
    return bench_of(sandbox)


def used(host: Host, share: float, **more: object) -> None:
    window = {"used_ratio": share, **more}
    host.body = json.dumps({"usages": {"limit_7d": window, "limit_5h": {"used_ratio": 0}}})


def test_what_the_account_has_left_caps_every_task(live: Workbench, host: Host):
    used(host, 0.9)

    admission = admit(live, LaunchWish(spec="1"))

    assert admission.budget.decision.way is Way.CAP
    assert admission.budget.decision.cap == 10
    assert admission.budget.capped(100) == 5
    assert admission.budget.capped(3) == 3
    assert admission.budget.capped(0) == 5
    assert admission.budget.obstacle is None


def test_what_the_account_has_not_left_is_refused_with_the_time_of_renewal(
    live: Workbench, host: Host
):
    used(host, 0.97, reset_time="2030-01-02T03:04:00Z")

    told = preview(live, LaunchWish(spec="1"))

    assert "- in the way: wait: about 3 steps are left in 7 days, says the account" in told
    assert "it renews at 2030-01-02 03:04 UTC" in told
    agreed = admit(live, LaunchWish(spec="1", is_over_quota=True))
    assert agreed.budget.obstacle is None
    assert "as the user agreed" in agreed.budget.decision.reason


def test_an_answer_that_contradicts_itself_refuses_nothing(live: Workbench, host: Host):
    used(host, 0.1, used=99, limit=99)

    told = preview(live, LaunchWish(spec="1"))

    assert "in the way: wait" not in told
    assert "100% used (99 of 99), but it says 0.1 and 99 of 99" in told


def test_an_account_that_cannot_be_asked_refuses_nothing(live: Workbench, host: Host):
    host.status = 403

    told = preview(live, LaunchWish(spec="1"))

    assert "in the way: wait" not in told
    assert "usage is unknown: the account does not let its usage be asked" in told
    assert "sk-kimi" not in told
