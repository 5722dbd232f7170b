"""What is written down of an attempt whose runner changed while it was at work."""

from dataclasses import replace

from dispatching import bench_of
from harvest import ORDERS
from kimi_mcp.dispatch.events import Committed, Ended, Started
from kimi_mcp.dispatch.place import repository_for
from kimi_mcp.dispatch.recovery.reconcile import reconcile
from kimi_mcp.dispatch.running.record import Recorder
from kimi_mcp.history.ids import new_dispatch_id
from kimi_mcp.history.records import Change, NewTask
from kimi_mcp.lifecycle import Outcome, TaskState
from kimi_mcp.workspace.clone import open_ledger
from sandbox import Sandbox
from unwritten import new_dispatch

ID = new_dispatch_id(1, "work", "7k3f")
AT = "2026-01-02T12:00:00.000Z"
CHANGE = Change(path="app.py", status="M", added=1, deleted=1)


async def test_a_commit_whose_ref_the_last_runner_left_behind_is_taken_up_with_its_changes(
    sandbox: Sandbox,
) -> None:
    bench = bench_of(sandbox)
    history = bench.history
    history.add(
        new_dispatch(
            ID, sandbox.root, orders=ORDERS.to_json(), tasks=(NewTask(number=1, title="One"),)
        ),
        at=AT,
    )
    repository = repository_for(bench, repo=str(sandbox.root))
    bench.state.run(ID).root.mkdir(parents=True)

    def recorder() -> Recorder:
        return Recorder(
            history,
            repository=repository,
            ledger=open_ledger(repository, bench.state.run(ID).git),
            dispatch=ID,
            task=history.task(ID, 1),
            branch_prefix="kimi",
            feedback=None,
            clock=lambda: AT,
        )

    assert history.claim(ID, at=AT, runner_pid=1)
    bench.state.run(ID).lifeline.touch()
    await recorder().record(Started(base=sandbox.git("rev-parse", "HEAD"), node="one"))
    commit = sandbox.git("rev-parse", "HEAD")
    sandbox.git("update-ref", f"refs/kimi/{ID}/task-1.a1", commit)
    reconcile(bench)  # the runner died after that, and before it wrote it down
    (attempt,) = history.attempts(ID, 1)
    assert attempt.commit_id == commit
    history.wait_again(ID, 1)

    resumed = recorder()
    await resumed.go_on(replace(attempt, node="one"))
    await resumed.record(Committed(commit=commit, changes=(CHANGE,)), taken=2)

    assert history.task(ID, 1).state is TaskState.CHECKING
    assert history.changes(ID, 1, 1) == (CHANGE,)
    await resumed.record(
        Ended(
            outcome=Outcome.CHECKS_FAILED,
            is_cancelled=False,
            is_checked=True,
            commit=commit,
            sentence="A check failed.",
        ),
        taken=3,
    )
    assert history.task(ID, 1).state is TaskState.FAILED
