"""Many random dispatches with a fake Kimi: what must hold after each of them, whatever it did.

`FULL_CAMPAIGN=1 .venv/bin/pytest -n logical tests/campaign/test_campaign_parallel.py` runs all 300.
"""

import json
import os
import random
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

import anyio
import pytest
from holding import clash, holds
from user_state import fsck, user_state
from worlds import Planned, planned

from dispatching import Done, dispatched, followed, spec_of
from kimi_mcp.dispatch.admission import LaunchWish
from kimi_mcp.dispatch.landing.land import LandWish, land
from kimi_mcp.dispatch.launch import Launched
from kimi_mcp.dispatch.retake import RevisionWish, launch_or_resume, revise
from kimi_mcp.errors import Refused
from kimi_mcp.history.landings import How
from kimi_mcp.lifecycle import Outcome, TaskState
from living import until
from patience import PATIENCE_S
from sandbox import Sandbox
from survivors import processes_of

SEEDS = range(300 if "FULL_CAMPAIGN" in os.environ else 20)


@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_kimi_does_nothing_is_lost_and_nothing_is_claimed(
    world: Sandbox, tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    tasks = planned(rng)
    spec = spec_of(*(task.text() for task in tasks))
    world.write("specs/001-work.md", spec)
    _traces(tmp_path)
    before = user_state(world)

    done = await dispatched(world)
    for task in tasks:
        _check(world, done, task, tasks)
    again = await _gone_on(done, tasks, rng)
    for task in tasks:
        _check(world, again, task, tasks)

    await until(lambda: not processes_of(done.id))
    assert user_state(world) == before
    assert _traces(tmp_path) == []
    _land(world, again, tasks, How(rng.choice(["apply", "squash", "merge", "discard"])))
    assert fsck(world) == ""


def _traces(folder: Path) -> list[str]:
    """Name the hooks that ran, and forget them."""
    found = sorted(folder.glob("hook-ran-*"))
    for trace in found:
        trace.unlink()
    return [trace.name for trace in found]


async def _gone_on(done: Done, tasks: list[Planned], rng: random.Random) -> Done:
    """Go on as a reviewer would with the first thing that went wrong."""
    wrong = [
        task
        for task in tasks
        if task.fault not in {"none", "blocked"} and done.task(task.number).attempts
    ]
    if not wrong:
        return done
    task = rng.choice(wrong)
    match task.fault:
        case "stray" if rng.random() < 0.5:
            task.fault, task.made[task.stray] = "none", "stray\n"
            start = _revision(done, RevisionWish(task=task.number, allow_files=(task.stray,)))
        case "stray":
            task.fault = "none"
            start = _revision(done, RevisionWish(task=task.number, drop_files=(task.stray,)))
        case "check":
            task.fault = "none"
            start = _revision(done, RevisionWish(task=task.number, verification=("true",)))
        case "nothing":
            task.acts = task.intended
            task.fault = "none"
            feedback = f"- ACTS {json.dumps(task.acts)}"
            start = _revision(done, RevisionWish(task=task.number, feedback=feedback))
        case _:
            for one in tasks:
                one.fault = "resumed" if one.fault in {"failing", "dying"} else one.fault
            start = partial(launch_or_resume, done.bench, LaunchWish(spec=done.id))
    with anyio.fail_after(PATIENCE_S):
        return await followed(done.bench, await anyio.to_thread.run_sync(start))


def _land(world: Sandbox, done: Done, tasks: list[Planned], how: How) -> None:
    """Land what was delivered: whole, or nothing changed; what is the user's stays either way."""
    before, head = user_state(world), world.git("rev-parse", "HEAD")
    delivered = [task for task in tasks if done.task(task.number).task.state is TaskState.DELIVERED]
    try:
        land(done.bench, done.id, LandWish(how=how))
    except Refused:
        assert user_state(world) == before
        return
    after = user_state(world)
    arrived = {path for task in delivered for path in (*task.made, *task.gone, "shared.txt")}
    if how is How.DISCARD:
        assert after == before
        assert world.git("for-each-ref", "refs/heads/kimi", "refs/kimi") == ""
        return
    for task in delivered:
        for path, text in task.made.items():
            file = world.root / path
            held = str(file.readlink()) if file.is_symlink() else file.read_text(encoding="utf-8")
            assert path not in task.done_acts() or held == text, (task, path)
        assert not any((world.root / path).exists() for path in task.gone)
    assert _others(after, arrived) == _others(before, arrived)
    assert world.git("diff", "--cached", "--name-only") == "staged.py"
    if how is How.APPLY:
        assert world.git("rev-parse", "HEAD") == head
    else:
        changed = world.git("diff", "--name-only", "--no-renames", head, "HEAD").splitlines()
        assert set(changed) <= arrived
        assert world.git("rev-parse", "main") == world.git("rev-parse", "HEAD")


def _others(state: dict[str, object], arrived: set[str]) -> object:
    """Reduce the user's state to what a landing has no business with."""
    files = cast("dict[str, str]", state["files"])
    kept = {path: what for path, what in files.items() if not path.endswith(tuple(arrived))}
    return kept, state["stash"], state["config"], state["hooks"], state["locks"], state["head"]


def _revision(done: Done, wish: RevisionWish) -> Callable[[], Launched]:
    return partial(revise, done.bench, done.id, wish)


def _check(world: Sandbox, done: Done, task: Planned, tasks: list[Planned]) -> None:
    """Hold what is said of a task against what Kimi did."""
    row = done.task(task.number).task
    needed = [done.task(number).task.state for number in task.depends_on]
    if row.state is TaskState.DELIVERED:
        assert task.fault in {"none", "resumed"}, (task, row)
        assert row.commit_id == world.git("rev-parse", f"kimi/{done.id}/task-{task.number}")
        holds(world, str(row.commit_id), task)
        merged = done.report.dispatch.merged_commit
        if merged and done.report.dispatch.note is None:
            holds(world, merged, task)
    elif task.fault == "none" and set(needed) <= {TaskState.DELIVERED}:
        is_waiting = row.state is TaskState.SKIPPED  # for a task that was delivered only later
        assert is_waiting or row.outcome is Outcome.MERGE_CONFLICT, (task, row)
        assert is_waiting or clash(task, tasks), (task, row)
    attempts = done.task(task.number).attempts
    if attempts and task.fault in {"stray", "check", "blocked", "failing"}:
        ref = f"refs/kimi/{done.id}/task-{task.number}.a{attempts[-1].attempt}"
        holds(world, ref, task)
