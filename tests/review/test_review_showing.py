"""Which dispatch is shown when none is named, and what of its attempts."""

from dataclasses import replace
from pathlib import Path

from dispatching import bench_of
from harvest import ORDERS, Work, harvested
from kimi_mcp.history import DispatchId, new_dispatch_id
from kimi_mcp.history.turns import Move
from kimi_mcp.lifecycle import Outcome, TaskState
from kimi_mcp.review.showing import chosen, show
from sandbox import Sandbox
from turning import attempt_at, begun, told
from unwritten import new_dispatch

NOON = "2026-01-02T12:00:00.000Z"


def test_the_sessions_latest_is_meant_before_the_repositorys(sandbox: Sandbox) -> None:
    bench = bench_of(sandbox)

    def dispatched(token: str, root: Path, *, session: str) -> DispatchId:
        id_ = new_dispatch_id(1, "add-login", token)
        new = new_dispatch(id_, root, session=session, orders=ORDERS.to_json())
        bench.history.add(new, at=NOON)
        return id_

    def meant(session: str) -> str:
        environ = {**bench.environ, "CLAUDE_CODE_SESSION_ID": session}
        return chosen(replace(bench, environ=environ, folder=sandbox.root), None)

    ours = dispatched("aaaa", sandbox.root / "elsewhere", session="this")
    later = dispatched("bbbb", sandbox.root, session="another")

    assert meant("this") == ours
    assert meant("unknown") == later


def test_a_later_attempt_that_came_to_nothing_takes_no_check_from_what_was_delivered(
    sandbox: Sandbox,
) -> None:
    harvest = harvested(sandbox, Work(files={"one.py": "1\n"}))
    history, again = harvest.bench.history, attempt_at(harvest.id, 1, 2)
    assert history.reopen(harvest.id, errand={}, tasks=(1,), amendments={}, at=NOON)
    assert history.claim(harvest.id, at=NOON, runner_pid=1)
    begun(history, again, NOON)
    history.tell(
        again,
        told("task.committed", NOON),
        move=Move(source=TaskState.RUNNING, target=TaskState.CHECKING),
    )
    history.advance_attempt(harvest.id, 1, 2, commit_id=harvest.commits[1], ref=None)
    history.tell(
        again,
        told("task.ended", NOON),
        move=Move(source=TaskState.CHECKING, target=TaskState.DELIVERED, is_checked=True),
        facts={"outcome": Outcome.PROVIDER_ERROR},
        is_last=True,
    )

    assert "delivered, 1 check passed · 6 steps · attempt 2 · +1 -0 in 1 file" in show(
        harvest.bench, harvest.id
    )
