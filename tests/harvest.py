"""A dispatch that is over, made without Kimi: real clones, commits, refs and rows.

What a runner would have left: each task's files are written into its clone and stored, published
and recorded by the same functions that a runner uses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from dispatching import bench_of
from kimi_mcp.dispatch.events import Checked, Committed, Ended
from kimi_mcp.dispatch.orders import Orders
from kimi_mcp.dispatch.planning.trust import hash_of
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId, new_dispatch_id
from kimi_mcp.history.records import (
    AttemptFacts,
    Change,
    Check,
    Finding,
    NewDispatch,
    NewTask,
)
from kimi_mcp.lifecycle import DispatchState, Outcome, TaskState
from kimi_mcp.workspace.clone import Ledger, lay_clone, open_ledger, pin
from kimi_mcp.workspace.commit import commit_work
from kimi_mcp.workspace.merge import Conflict, merge
from kimi_mcp.workspace.publish import keep_attempt, publish_branch
from kimi_mcp.workspace.repository import Repository, locate
from sandbox import Sandbox
from turning import attempt_at, begun, told_of

SPEC = "# Spec: 001 -- Add login\n\n## Goal\n\nPeople can log in.\n\n## Tasks\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What Kimi has done in one task."""

    files: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    """Text by path; None: deleted."""
    needs: tuple[int, ...] = ()
    outcome: Outcome | None = None
    is_checked: bool = True
    is_committed: bool = True
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Harvest:
    """A dispatch that is over."""

    bench: Workbench
    id: DispatchId
    commits: Mapping[int, str]
    merged: str | None

    def branch(self, task: int | None = None) -> str:
        return f"kimi/{self.id}/{'merged' if task is None else f'task-{task}'}"


def harvested(
    sandbox: Sandbox,
    *works: Work,
    base: str | None = None,
    snapshot_of: str | None = None,
    token: str = "7k3f",
    spec: str | None = None,
) -> Harvest:
    """Record a dispatch, of the spec given or one made up, whose tasks 1, 2 … did *works*."""
    bench, repository = bench_of(sandbox), locate(sandbox.root)
    dispatch = new_dispatch_id(1, "add-login", token)
    commit = base or repository.head
    bench.history.add(
        replace(
            _row(repository, dispatch, works, base=commit, snapshot_of=snapshot_of),
            **({} if spec is None else {"spec_text": spec, "spec_hash": hash_of(spec)}),
        ),
        at=bench.stamp(),
    )
    bench.history.claim(dispatch, at=bench.stamp(), runner_pid=1)
    pin(repository, dispatch, commit)
    ledger = open_ledger(repository, bench.state.run(dispatch).git)
    done: dict[int, str] = {}
    for number, work in enumerate(works, start=1):
        start = _start(ledger, commit, [done[n] for n in work.needs])
        made = _carried_out(bench, ledger, dispatch, number, work, start=start)
        if made is not None:
            done[number] = made
    merged = _merged(repository, ledger, dispatch, list(done.values()))
    bench.history.move_dispatch(
        dispatch,
        source=DispatchState.RUNNING,
        target=DispatchState.FINISHED,
        at=bench.stamp(),
        merged_commit=merged,
        note=None if merged or not done else "No merged branch: tasks conflict.",
    )
    return Harvest(bench=bench, id=dispatch, commits=done, merged=merged)


def _row(
    repository: Repository,
    dispatch: DispatchId,
    works: Sequence[Work],
    *,
    base: str,
    snapshot_of: str | None,
) -> NewDispatch:
    tasks = tuple(
        NewTask(number=number, title=f"Part {number}", depends_on=work.needs)
        for number, work in enumerate(works, start=1)
    )
    listed = "\n".join(
        f"### Task {task.number}: {task.title}\nFiles:\n- CREATE part{task.number}.py\n"
        for task in tasks
    )
    return NewDispatch(
        id=dispatch,
        repository=str(repository.root),
        git_dir=str(repository.common_dir),
        spec_number=1,
        spec_path="specs/001-add-login.md",
        spec_title="Add login",
        spec_text=SPEC + listed,
        spec_hash=dispatch,
        base_commit=base,
        base_branch=repository.branch,
        snapshot_of=snapshot_of,
        profile="moderato",
        orders=ORDERS.to_json(),
        session=None,
        tasks=tasks,
    )


ORDERS = Orders(
    kimi_argv=(),
    kimi_version="2.1.0",
    kimi_home="",
    tasks=(),
    steps=100,
    tool_timeout_ms=1,
    thinking=True,
    model=None,
    subagents=False,
    max_parallel=1,
    branch_prefix="kimi",
    setup=(),
    attempts=1,
    task_s=1,
    silence_s=1,
    check_s=1,
    setup_s=1,
    grace_s=1,
)


def _start(ledger: Ledger, base: str, needed: list[str]) -> str:
    if not needed:
        return base
    start = merge(ledger, needed, message="Merge\n")
    assert isinstance(start, str)
    return start


def _carried_out(
    bench: Workbench, ledger: Ledger, dispatch: DispatchId, number: int, work: Work, *, start: str
) -> str | None:
    repository = locate(Path(bench.history.dispatch(dispatch).repository))
    folder = bench.state.run(dispatch).task(number)
    lay_clone(ledger, start, clone=folder.clone, index=folder.index)
    for path, text in work.files.items():
        _put(folder.clone / path, text)
    left = commit_work(
        ledger,
        clone=folder.clone,
        index=folder.index,
        base=start,
        parent=start,
        named=[],
        message=f"Part {number}\n\nKimi-Dispatch: {dispatch}\n",
    )
    history, at = bench.history, bench.stamp()
    move = partial(history.move_task, dispatch, number, at=at)
    attempt = begun(history, attempt_at(dispatch, number), at, base=start)
    if left.changes:
        ref = keep_attempt(
            repository,
            ledger,
            dispatch_id=dispatch,
            task=number,
            attempt=attempt.attempt,
            commit=left.commit,
        )
        history.advance_attempt(dispatch, number, 1, commit_id=left.commit, ref=ref)
    if work.is_committed:
        changes = [
            Change(path=c.path, status=c.status, added=c.added, deleted=c.deleted)
            for c in left.changes
        ]
        committed = told_of(Committed(commit=left.commit, changes=()), at)
        history.tell(attempt, committed, changes=changes, findings=work.findings)
    move(source=TaskState.RUNNING, target=TaskState.CHECKING)
    if work.is_checked:
        check = Check(
            position=1, command="pytest -q", exit_code=0, duration_ms=10, output_tail="1 passed\n"
        )
        history.tell(attempt, told_of(Checked(check=check), at), checks=[check])
    ended = Ended(
        outcome=work.outcome,
        is_cancelled=False,
        is_checked=work.is_checked,
        commit=left.commit,
        sentence="",
    )
    facts: AttemptFacts = {"steps": 6, "outcome": work.outcome}
    history.tell(attempt, told_of(ended, at), facts=facts, is_last=True)
    if work.outcome is not None:
        move(source=TaskState.CHECKING, target=TaskState.FAILED, outcome=work.outcome)
        return None
    branch = publish_branch(
        repository,
        ledger,
        prefix="kimi",
        dispatch_id=dispatch,
        task=number,
        commit=left.commit,
        expected=None,
    )
    move(
        source=TaskState.CHECKING,
        target=TaskState.DELIVERED,
        is_checked=work.is_checked,
        branch=branch,
        commit_id=left.commit,
    )
    return left.commit


def _put(file: Path, text: str | None) -> None:
    if text is None:
        file.unlink()
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _merged(
    repository: Repository, ledger: Ledger, dispatch: DispatchId, commits: list[str]
) -> str | None:
    if not commits:
        return None
    merged = merge(ledger, commits, message="Merge the delivered tasks\n")
    if isinstance(merged, Conflict):
        return None
    publish_branch(
        repository,
        ledger,
        prefix="kimi",
        dispatch_id=dispatch,
        task=None,
        commit=merged,
        expected=None,
    )
    return merged
