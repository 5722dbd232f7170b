"""What a user does after something went wrong: look, wait, resume; and what must then be so."""

from collections.abc import Sequence
from pathlib import Path

import anyio
from crash_world import CrashWorld
from holding import clash
from invariants import check_claims, check_ledger, check_record, check_work

from kimi_mcp.dispatch.interruption import is_interrupted
from kimi_mcp.dispatch.recovery.reconcile import reconcile
from kimi_mcp.dispatch.retake import resume
from kimi_mcp.errors import Refused
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.lifecycle import Outcome, TaskState
from kimi_mcp.review.listing import dispatch_table
from living import until

RESUMES = 4


def is_over(world: CrashWorld) -> bool:
    """Whether nobody works any more, as it looks to who looks."""
    reconcile(world.bench)
    return not world.bench.history.live()


async def recovered(world: CrashWorld, dispatch: DispatchId) -> None:
    """Wait until the dispatch is over and nothing of it runs on this machine."""
    await until(lambda: f"{dispatch}" in dispatch_table(world.bench) and is_over(world))
    await until(lambda: not world.processes())


async def judged(
    world: CrashWorld, dispatch: DispatchId, *, elsewhere: Sequence[Path] = (), unheard: int = 0
) -> None:
    """Check all that must hold of a dispatch that is over; *unheard* steps may have been lost."""
    check_record(world, dispatch)
    check_work(world, dispatch, elsewhere=elsewhere)
    check_claims(world, dispatch)
    attempts = sum(row.attempts for row in world.bench.history.tasks(dispatch))
    check_ledger(world, dispatch, killed=attempts + unheard)


async def resumed(world: CrashWorld, dispatch: DispatchId) -> None:
    """Resume what was interrupted, until nothing is."""
    for _ in range(RESUMES):
        rows = world.bench.history.tasks(dispatch)
        try:
            await anyio.to_thread.run_sync(resume, world.bench, dispatch)
        except Refused:
            assert not any(is_interrupted(row) for row in rows) or any(
                row.outcome is Outcome.MERGE_CONFLICT for row in rows
            )
            return
        await recovered(world, dispatch)


def check_all_done(world: CrashWorld, dispatch: DispatchId) -> None:
    """What nothing stood in the way of is delivered, and all of that is merged."""
    history = world.bench.history
    rows = {task.number: history.task(dispatch, task.number) for task in world.tasks}
    for task in world.tasks:
        needed = {rows[number].state for number in task.depends_on}
        if task.fault == "none" and needed <= {TaskState.DELIVERED}:
            row = rows[task.number]
            is_clash = row.outcome is Outcome.MERGE_CONFLICT and clash(task, world.tasks)
            assert row.state is TaskState.DELIVERED or is_clash, (row.number, row.sentence, row)
    found = history.dispatch(dispatch)
    if any(row.state is TaskState.DELIVERED for row in rows.values()):
        assert found.merged_commit is not None or "conflict" in (found.note or ""), found
