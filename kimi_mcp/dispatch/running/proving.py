"""Running a task's checks on exactly the commit that its work has become, and judging by them."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import anyio

from kimi_mcp.dispatch.events import Noted
from kimi_mcp.dispatch.running import verdict
from kimi_mcp.dispatch.running.base_clone import BaseClone
from kimi_mcp.dispatch.running.checks import Environment, prove
from kimi_mcp.dispatch.running.giving_up import unless
from kimi_mcp.dispatch.running.ground import Ground
from kimi_mcp.dispatch.running.preparing import NAMED_FILES, set_up, stamp_anew
from kimi_mcp.dispatch.running.refused_access import explained
from kimi_mcp.dispatch.running.verdict import Verdict
from kimi_mcp.dispatch.running.work import Emit, TaskWork
from kimi_mcp.history.records import Check
from kimi_mcp.quoting.quotes import named
from kimi_mcp.workspace.caches import is_cache
from kimi_mcp.workspace.commit import Attempt
from kimi_mcp.workspace.stamps import Stamp


async def checked(
    work: TaskWork,
    left: Attempt,
    *,
    environment: Environment,
    prepared: Mapping[str, Stamp],
    emit: Emit,
    cancelled: anyio.Event,
) -> Verdict:
    """Run the spec's commands on exactly the commit, and judge by them."""
    ground = Ground(ledger=work.ledger, folder=work.folder, commit=left.commit, before=prepared)
    clear = partial(ground.clear, aside=work.output / "aside")
    aside, is_setup_hurt = await anyio.to_thread.run_sync(clear)
    if news := [path for path in aside if not is_cache(path)]:
        told = named(news, most=NAMED_FILES)
        await emit(Noted(text=f"Set aside before the checks, {len(news)} uncommitted: {told}."))
    if is_setup_hurt:
        await emit(Noted(text="Kimi changed what setup had made; setup ran again."))
        unready = await set_up(work, environment, on=left.commit, cancelled=cancelled)
        if unready is not None:
            return unready
        before = await anyio.to_thread.run_sync(stamp_anew, work, left.commit)
        ground = replace(ground, before=before)
    base = BaseClone(work, setup_s=environment.setup_s)
    try:
        checks = await unless(
            cancelled,
            partial(
                prove,
                work.task.commands,
                environment=environment,
                ground=ground,
                output=work.output,
                emit=emit,
                compare=base.compared,
            ),
        )
    finally:
        with anyio.CancelScope(shield=True):
            await base.remove()
    return verdict.CANCELLED if checks is None else _judged(work, left, checks, aside)


def _judged(work: TaskWork, left: Attempt, checks: list[Check], aside: tuple[str, ...]) -> Verdict:
    names = verdict.own_names(
        [
            *(change.path for change in left.changes),
            *(path for entry in work.task.files for path in entry.written_paths),
            *aside,  # Kimi made them, so the environment does not lack them
        ]
    )
    judged = verdict.after_checks(checks, own_names=names)
    if judged.is_delivered:
        return judged
    tails = "\n".join(check.output_tail for check in checks if not check.is_passed)
    why = explained(tails, work.confines.around_check(), work.host)
    return replace(judged, sentence=f"{judged.sentence} {why}") if why else judged
