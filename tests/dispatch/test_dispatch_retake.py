"""Taking a dispatch that is over up again, with the real Kimi Code."""

import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import cast

import anyio
import psutil
import pytest

from dispatching import (
    SPEC_PATH,
    Done,
    bench_of,
    branches,
    carried_out,
    followed,
    spec_of,
    specify,
)
from kimi_mcp.demo.script import Reply, bash, edit, say, write
from kimi_mcp.demo.scripted_model import ScriptedModel
from kimi_mcp.dispatch.admission import LaunchWish
from kimi_mcp.dispatch.launch import Launched, launch
from kimi_mcp.dispatch.recovery.reconcile import reconcile
from kimi_mcp.dispatch.retake import RevisionWish, launch_or_resume, revise
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import Refused
from kimi_mcp.lifecycle import DispatchState, Outcome, TaskState
from kimi_mcp.review.listing import dispatch_page
from kimi_mcp.review.view import View
from living import until
from patience import PATIENCE_S
from sandbox import Sandbox, StartModel

ONE = """One
Files:
- CREATE one.txt
Verification:
- `grep -q hello one.txt`
"""
AFTER = """After
Depends on: Task 1
Files:
- CREATE after.txt
Verification:
- `grep -q hello one.txt`
"""
QUOTA = Reply(
    status=403,
    body={"error": {"message": "You've reached your usage limit for this billing cycle."}},
)


async def taken_up(bench: Workbench, start: Callable[[Workbench], Launched]) -> Done:
    with anyio.fail_after(PATIENCE_S):
        return await followed(bench, await anyio.to_thread.run_sync(start, bench))


def revision(done: Done, wish: RevisionWish) -> Callable[[Workbench], Launched]:
    return lambda bench: revise(bench, done.id, wish)


def asked(model: ScriptedModel, marker: str) -> list[object]:
    """Return the messages of the first request that a marker answered."""
    found = next(r for r in model.requests if r.place is not None and r.place.marker == marker)
    return cast("list[object]", found.body["messages"])


async def test_feedback_goes_on_in_the_same_session_and_moves_the_branches(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    model = start_model(
        {
            "# Your task (1)": [write("one.txt", "hello\n"), say("made it")],
            "# Your task (2)": [write("after.txt", "x\n"), say("made it too")],
            "[louder]": [edit("one.txt", "hello", "hello!"), say("louder")],
        }
    )
    first = await carried_out(sandbox, spec_of(ONE, AFTER))
    before = sandbox.git("rev-parse", f"kimi/{first.id}/task-1", f"kimi/{first.id}/merged")

    done = await taken_up(
        first.bench, revision(first, RevisionWish(task=1, feedback="[louder] please"))
    )

    said = str(asked(model, "[louder]"))
    assert "made it" in said
    assert "Your work on this task was reviewed" in said
    assert sandbox.show(f"kimi/{first.id}/task-1", "one.txt") == "hello!"
    assert sandbox.show(f"kimi/{first.id}/merged", "one.txt") == "hello!"
    assert sandbox.show(f"kimi/{first.id}/merged", "after.txt") == "x"
    after = sandbox.git("rev-parse", f"kimi/{first.id}/task-1", f"kimi/{first.id}/merged")
    assert not set(before.split()) & set(after.split())
    sandbox.git("merge-base", "--is-ancestor", before.split()[0], after.split()[0])
    one, two = (done.task(number) for number in (1, 2))
    assert [attempt.steps for attempt in one.attempts] == [2, 2]
    assert one.attempts[0].session_id == one.attempts[1].session_id
    assert one.attempts[1].feedback == "[louder] please"
    assert one.task.is_checked
    assert len(one.checks) == 1
    assert two.task.sentence == "Based on an older task 1."
    assert "Based on an older task 1." in done.view(View.SUMMARY)


async def test_a_later_attempt_that_fails_leaves_the_delivered_branch_where_it_was(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    start_model(
        {
            "# Your task (1)": [write("one.txt", "hello\n"), say("made it")],
            "[worse]": [write("stray.txt", "x\n"), say("worse")],
        }
    )
    first = await carried_out(sandbox, spec_of(ONE))
    before = sandbox.git("rev-parse", f"kimi/{first.id}/task-1", f"kimi/{first.id}/merged")

    done = await taken_up(first.bench, revision(first, RevisionWish(task=1, feedback="[worse]")))

    task = done.task(1)
    assert task.task.state is TaskState.DELIVERED
    assert task.task.is_checked
    assert [attempt.outcome for attempt in task.attempts] == [None, Outcome.OUT_OF_SCOPE]
    assert not done.report.is_newest_delivered(1)
    assert "Attempt 2 was not delivered (out_of_scope)" in done.view(View.SUMMARY)
    assert [change.path for change in task.changes] == ["one.txt"]
    after = sandbox.git("rev-parse", f"kimi/{first.id}/task-1", f"kimi/{first.id}/merged")
    assert after == before
    assert sandbox.show(f"refs/kimi/{first.id}/task-1.a2", "stray.txt") == "x"


async def test_a_stray_file_is_allowed_without_a_request_to_the_model(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    model = start_model(
        {
            "# Your task (1)": [
                write("one.txt", "hello\n"),
                write("extra.txt", "useful\n"),
                bash("ln -s /etc/hosts escape; head -c 34000 /dev/zero > logo.bin"),
                say("made it"),
            ]
        }
    )
    first = await carried_out(sandbox, spec_of(ONE))
    assert first.outcomes == {1: Outcome.OUT_OF_SCOPE}
    requests = len(model.requests)
    with pytest.raises(Refused, match=r'Nearest: "extra\.txt"'):
        revise(first.bench, first.id, RevisionWish(task=1, allow_files=("extr.txt",)))
    with pytest.raises(Refused, match=r'"escape" cannot be allowed: is a link that leaves'):
        revise(first.bench, first.id, RevisionWish(task=1, allow_files=("escape",)))
    listed = first.view(View.CHECKS)
    assert """out of scope: "extra.txt" (+1 -0; not in the spec's files)""" in listed
    assert """out of scope: "logo.bin" (binary, 34 kB; not in the spec's files)""" in listed

    assert '"escape": a link; "logo.bin": binary, 34 kB.' in first.view(View.DIFF)

    wish = RevisionWish(task=1, allow_files=("extra.txt",), drop_files=("escape", "logo.bin"))
    done = await taken_up(first.bench, revision(first, wish))

    assert done.report.is_newest_delivered(1)
    assert len(model.requests) == requests
    assert [attempt.steps for attempt in done.task(1).attempts] == [4, 0]
    assert sandbox.show(f"kimi/{first.id}/task-1", "extra.txt") == "useful"
    page = dispatch_page(first.bench, first.id)
    assert 'Files of task 1 since then, too: "CREATE extra.txt"' in page


async def test_files_are_dropped_without_a_step_and_the_rest_is_delivered(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    sandbox.write("kept.txt", "as it was\n")
    model = start_model(
        {
            "# Your task (1)": [
                write("one.txt", "hello\n"),
                write("kept.txt", "changed\n"),
                write("junk.txt", "x\n"),
                say("made it"),
            ]
        }
    )
    first = await carried_out(sandbox, spec_of(ONE))
    requests = len(model.requests)

    wish = RevisionWish(task=1, drop_files=("kept.txt", "junk.txt"))
    done = await taken_up(first.bench, revision(first, wish))

    assert done.outcomes == {1: TaskState.DELIVERED}
    assert len(model.requests) == requests
    files = sandbox.git("ls-tree", "--name-only", f"kimi/{first.id}/task-1").split()
    assert "junk.txt" not in files
    assert sandbox.show(f"kimi/{first.id}/task-1", "kept.txt") == "as it was"


async def test_another_verification_judges_the_same_work_anew(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    start_model({"# Your task (1)": [write("one.txt", "good day\n"), say("made it")]})
    first = await carried_out(sandbox, spec_of(ONE))
    assert first.outcomes == {1: Outcome.CHECKS_FAILED}

    wish = RevisionWish(task=1, verification=("grep -q good one.txt", "manual: read it"))
    done = await taken_up(first.bench, revision(first, wish))

    assert done.outcomes == {1: TaskState.DELIVERED}
    assert [check.command for check in done.task(1).checks] == ["grep -q good one.txt"]


async def test_a_quota_stop_is_resumed_in_each_tasks_own_session(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    both_wrote = threading.Event()
    model = start_model(
        {
            "# Your task (1)": [write("one.txt", "hel\n"), replace(QUOTA, wait_for=both_wrote)],
            "# Your task (2)": [write("two.txt", "hello\n"), replace(QUOTA, wait_for=both_wrote)],
            "# Your task (3)": [write("after.txt", "x\n"), say("made it too")],
            "was interrupted": [bash("sed -i s/^hel$/hello/ *.txt"), say("finished")],
        }
    )
    spec = spec_of(ONE, ONE.replace("one.txt", "two.txt"), AFTER)

    def let_them() -> None:
        for number in (1, 2):
            model.reached(f"# Your task ({number})", 1).wait(PATIENCE_S)
        both_wrote.set()

    threading.Thread(target=let_them, daemon=True).start()
    first = await carried_out(sandbox, spec)
    # whichever is told first pauses the other
    stopped = {first.outcomes[1], first.outcomes[2]}
    assert Outcome.QUOTA_EXHAUSTED in stopped <= {Outcome.QUOTA_EXHAUSTED, TaskState.CANCELLED}
    assert first.outcomes[3] is TaskState.SKIPPED
    assert sandbox.show(f"refs/kimi/{first.id}/task-1.a1", "one.txt") == "hel"
    assert branches(sandbox) == []

    done = await taken_up(
        first.bench, partial(launch_or_resume, wish=LaunchWish(spec=first.id, tasks=(1,)))
    )
    assert done.outcomes == {
        1: TaskState.DELIVERED,
        2: first.outcomes[2],
        3: TaskState.SKIPPED,
    }

    done = await taken_up(first.bench, partial(launch_or_resume, wish=LaunchWish(spec=first.id)))

    assert set(done.outcomes.values()) == {TaskState.DELIVERED}
    for number in (1, 2):
        before, after = done.task(number).attempts
        assert before.session_id == after.session_id
    assert len(done.task(3).attempts) == 1
    assert sandbox.show(f"kimi/{done.id}/merged", "one.txt") == "hello"


async def test_what_a_killed_runner_left_is_kept_and_gone_on_with(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    model = start_model(
        {
            "# Your task (1)": [write("one.txt", "hel\n"), Reply(hang="headers")],
            "was interrupted": [edit("one.txt", "hel", "hello"), say("finished")],
        }
    )
    specify(sandbox, spec_of(ONE))
    bench = bench_of(sandbox)
    launched = launch(bench, LaunchWish(spec=SPEC_PATH))
    assert await anyio.to_thread.run_sync(model.reached("# Your task (1)", 1).wait, PATIENCE_S)
    pid = bench.history.dispatch(launched.dispatch).runner_pid
    assert pid is not None
    psutil.Process(pid).send_signal(signal.SIGKILL)

    def is_lost() -> bool:
        reconcile(bench)
        return bench.history.dispatch(launched.dispatch).state is DispatchState.LOST

    await until(is_lost)
    done = await taken_up(bench, partial(launch_or_resume, wish=LaunchWish(spec=launched.dispatch)))

    assert done.outcomes == {1: TaskState.DELIVERED}
    assert sandbox.show(f"refs/kimi/{done.id}/task-1.a1", "one.txt") == "hel"
    assert sandbox.show(f"kimi/{done.id}/task-1", "one.txt") == "hello"
    first, second = done.task(1).attempts
    assert first.session_id == second.session_id


async def test_what_cannot_be_taken_up_is_refused(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    start_model({"# Your task (1)": [write("one.txt", "hello\n"), say("made it")]})
    done = await carried_out(sandbox, spec_of(ONE))

    with pytest.raises(Refused, match="was interrupted"):
        launch_or_resume(done.bench, LaunchWish(spec=done.id))
    with pytest.raises(Refused, match="keeps its base"):
        launch_or_resume(done.bench, LaunchWish(spec=done.id, base="HEAD"))
    with pytest.raises(Refused, match="no task 7"):
        revise(done.bench, done.id, RevisionWish(task=7, feedback="x"))
    with pytest.raises(Refused, match="judged without Kimi"):
        revise(done.bench, done.id, RevisionWish(task=1, feedback="x", drop_files=("one.txt",)))
    assert done.bench.history.dispatch(done.id).state is DispatchState.FINISHED
