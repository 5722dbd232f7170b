"""What must hold of a dispatch that is over, whatever has happened to it."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from crash_world import CrashWorld
from holding import holds

from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.records import Dispatch
from kimi_mcp.lifecycle import TaskState

CLONES = "task-*/clone/marks/*.txt"
LONG_AGO = "2000-01-01T00:00:00.000Z"
#: What only lies about while somebody works.
_PASSING = re.compile(
    r"/\.git/(?:kimi-mcp\.|.*\.lock$)|/(?:outbox|git)\.[a-z0-9_]{8}$|/\.history\.db\."
    r"|/home/(?:config\.toml|credentials|oauth)$|\.new$"
)


def check_record(world: CrashWorld, dispatch: DispatchId) -> None:
    """Every event once and in order, every attempt begun once and ended once."""
    history = world.bench.history
    found = history.dispatch(dispatch)
    assert found.state.is_terminal
    events = history.events(dispatch)
    assert [event.number for event in events] == [*range(1, len(events) + 1)]
    for task in history.tasks(dispatch):
        assert task.state.is_terminal, task
        attempts = history.attempts(dispatch, task.number)
        assert [one.attempt for one in attempts] == [*range(1, len(attempts) + 1)]
        for attempt in attempts:
            assert attempt.ended_at is not None
            kinds = [
                event.kind
                for event in events
                if (event.task, event.attempt) == (task.number, attempt.attempt)
            ]
            told = [kind for kind in kinds if kind != "task.charged"]  # may come to light later
            assert kinds.count("task.started") == 1, (task, kinds)
            assert kinds.count("task.ended") == 1, (task, kinds)
            assert (told[0], told[-1]) == ("task.started", "task.ended"), (task, kinds)
        known = {attempt.attempt for attempt in attempts}
        told_of = {event.attempt for event in events if event.task == task.number}
        assert told_of <= known | {None}
    assert all(run.ended_at is not None for run in history.runs(dispatch))


def check_work(world: CrashWorld, dispatch: DispatchId, *, elsewhere: Sequence[Path] = ()) -> None:
    """Every byte of work is in a ref or in a clone; that of a lost node is *elsewhere*."""
    marks = world.marks.read_text(encoding="utf-8").split()
    held = world.sandbox.git("log", "--all", "--format=", "-p", "--no-textconv", "--", "marks")
    lost = [mark for mark in marks if mark not in held]
    clones = world.bench.state.run(dispatch).root
    files = [*clones.glob(CLONES)]
    for state in elsewhere:
        files += state.glob(f"cluster/attempts/{dispatch}-*/run/{CLONES}")
    places = "".join(file.read_text(encoding="utf-8") for file in files)
    assert not [mark for mark in lost if mark not in places]


def check_claims(world: CrashWorld, dispatch: DispatchId) -> None:
    """What is called delivered is there, whole."""
    history, sandbox = world.bench.history, world.sandbox
    found = history.dispatch(dispatch)
    for task in world.tasks:
        row = history.task(dispatch, task.number)
        if row.state is not TaskState.DELIVERED:
            continue
        assert task.fault == "none", (task, row)
        assert row.commit_id == sandbox.git("rev-parse", f"kimi/{dispatch}/task-{task.number}")
        holds(sandbox, str(row.commit_id), task)
        if found.merged_commit is not None and found.note is None:
            holds(sandbox, found.merged_commit, task)
    published = sandbox.git("for-each-ref", "--format=%(refname:short)", "refs/heads/kimi")
    assert {*published.splitlines()} == _branches(world, found)


def check_ledger(world: CrashWorld, dispatch: DispatchId, *, killed: int) -> None:
    """What is charged is what was asked, or at most one more for each agent that was killed."""
    history = world.bench.history
    spent = history.spent(history.dispatch(dispatch).account, since=LONG_AGO)
    assert spent.steps <= world.asked() <= spent.steps + spent.possible
    assert spent.possible <= killed


def check_nothing_left(world: CrashWorld) -> None:
    """No lock, no half-written file, no key lies about."""
    left: list[str] = []
    for root in (world.sandbox.root, world.bench.state.root):
        for folder, folders, files in os.walk(root):
            # a clone is Kimi's; what checks must not see is kept aside
            if Path(folder).name == "clone" or Path(folder).name.startswith("aside"):
                folders.clear()
                continue
            names = [str(Path(folder, name)) for name in (*folders, *files)]
            left += [name for name in names if _PASSING.search(name)]
    assert left == []


def _branches(world: CrashWorld, found: Dispatch) -> set[str]:
    rows = world.bench.history.tasks(found.id)
    names = {f"kimi/{found.id}/task-{row.number}" for row in rows if row.commit_id is not None}
    return names | ({f"kimi/{found.id}/merged"} if found.merged_commit is not None else set())
