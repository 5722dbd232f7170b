"""One attempt at one task: a commit goes in; events and a commit come out.

Knows no database and no server: this is the seam where another executor can stand. The order is
fixed: clone, setup, Kimi, commit, scope, then the spec's commands on exactly that commit.
"""

from functools import partial

import anyio

from kimi_mcp.dispatch.errand import Purpose
from kimi_mcp.dispatch.events import Committed, Ended, Found, Noted, Started
from kimi_mcp.dispatch.running import verdict
from kimi_mcp.dispatch.running.checks import Environment
from kimi_mcp.dispatch.running.employ import employ, lay_home
from kimi_mcp.dispatch.running.findings import findings
from kimi_mcp.dispatch.running.harvest import drop, harvest, judged_changes
from kimi_mcp.dispatch.running.preparing import lay, set_up, stamped, without_programs
from kimi_mcp.dispatch.running.proving import checked
from kimi_mcp.dispatch.running.rivalry import Rival
from kimi_mcp.dispatch.running.verdict import Verdict
from kimi_mcp.dispatch.running.work import Emit, Share, TaskWork
from kimi_mcp.errors import KimiMcpError, Refused
from kimi_mcp.kimi import home, outcome
from kimi_mcp.kimi.outcome import RunEnd, RunFacts
from kimi_mcp.lifecycle import Outcome
from kimi_mcp.processes.child import NotStarted
from kimi_mcp.quoting.quotes import quoted
from kimi_mcp.workspace.clone import overlay
from kimi_mcp.workspace.commit import Attempt
from kimi_mcp.workspace.merge import still_marked
from kimi_mcp.workspace.restore import restore

NAME_CHARS = 120
# a judgment without Kimi: nothing of it can have gone wrong
NO_RUN = RunFacts(
    exit_code=0,
    signal=None,
    is_answer_complete=True,
    closing_words="",
    stderr_tail="",
    turn_ended=None,
    stop_reason=None,
)


async def carry_out(work: TaskWork, *, emit: Emit, cancelled: anyio.Event) -> None:
    """Carry the attempt out: one `Started` first, one `Ended` last, whatever happens between.

    When this returns or is cancelled, no process that the attempt started is left.
    """
    if work.share is None:
        await emit(Started(base=work.base))
    elif work.share.unready is not None:
        await emit(_closing(work.share.unready))
        return
    try:
        ended = await _attempt(work, emit=emit, cancelled=cancelled)
    except KimiMcpError as error:
        ended = _ended(Outcome.CRASHED, str(error))
    except NotStarted as error:
        ended = _ended(Outcome.KIMI_UNUSABLE, f"Kimi could not be started: {error}.")
    await emit(ended)


async def _attempt(work: TaskWork, *, emit: Emit, cancelled: anyio.Event) -> Ended:
    environment = Environment(work.folder, work.confines, work.orders)
    is_new_clone = await anyio.to_thread.run_sync(lay, work)
    if is_new_clone:
        unready = await _set_up(work, environment, cancelled=cancelled)
        if unready is not None:
            return _closing(unready)
    prepared = await anyio.to_thread.run_sync(partial(stamped, work, is_new=is_new_clone))

    facts = NO_RUN
    if work.purpose is Purpose.JUDGE:
        await anyio.to_thread.run_sync(drop, work)
    elif work.share is not None:
        facts = work.share.facts
        await anyio.to_thread.run_sync(take, work, work.share)
    else:
        if unready := await without_programs(work, environment):
            return _closing(unready)
        try:
            await anyio.to_thread.run_sync(lay_home, work)
        except Refused as refusal:
            return _ended(Outcome.CONFIG_INVALID, str(refusal))
        try:
            await anyio.to_thread.run_sync(work.confines.hand_over)
            if work.rival is not None:
                await anyio.to_thread.run_sync(_lay_rival, work, work.rival)
            facts = await employ(
                work, is_same_clone=not is_new_clone, emit=emit, cancelled=cancelled
            )
        finally:
            home.forget_secrets(work.folder.home)
    end = outcome.classify(facts)
    if facts.stop_reason is outcome.StopReason.LINGERING:
        await emit(Noted(text="Kimi answered completely but did not exit; it was ended."))

    left = await anyio.to_thread.run_sync(harvest, work, end)
    changes = judged_changes(work, left)
    await emit(Committed(commit=left.commit, changes=changes))
    await _tell(work, left, emit=emit)
    judged = verdict.before_checks(end, changes) or await anyio.to_thread.run_sync(
        partial(_unsettled, work, left)
    )
    if judged is None:
        judged = await checked(
            work, left, environment=environment, prepared=prepared, emit=emit, cancelled=cancelled
        )
        judged = verdict.doubted(judged, end)
    return _closing(judged, left, facts, end)


async def _tell(work: TaskWork, left: Attempt, *, emit: Emit) -> None:
    """Say what could not be committed, and what a reviewer must know of what was."""
    for skipped in left.skipped:
        await emit(
            Noted(
                text=f"Not committed: {quoted(skipped.path, limit=NAME_CHARS)} ({skipped.reason})."
            )
        )
    if found := await anyio.to_thread.run_sync(findings, work, left):
        await emit(Found(findings=found))


async def _set_up(
    work: TaskWork, environment: Environment, *, cancelled: anyio.Event
) -> Verdict | None:
    if work.share is not None and cancelled.is_set():
        return None  # what the wave has left for it is kept, and never checked
    return await set_up(work, environment, on=work.parent, cancelled=cancelled)


def take(work: TaskWork, share: Share) -> None:
    """Lay into the task's clone what the wave has left for it."""
    folder = work.folder
    overlay(work.ledger, share.commit, clone=folder.clone, index=folder.index)
    restore(work.ledger, work.base, share.foreign, clone=folder.clone, index=folder.index)


def _lay_rival(work: TaskWork, rival: Rival) -> None:
    overlay(work.ledger, rival.tree, clone=work.folder.clone, index=work.folder.index)


def _unsettled(work: TaskWork, left: Attempt) -> Verdict | None:
    """Judge work in which markers of a conflict are left."""
    if not work.may_hold_markers:
        return None
    marked = still_marked(work.ledger, left.commit, [change.path for change in left.changes])
    return verdict.unsettled(marked) if marked else None


def _closing(
    judged: Verdict,
    left: Attempt | None = None,
    facts: RunFacts = NO_RUN,
    end: RunEnd | None = None,
) -> Ended:
    return Ended(
        outcome=judged.outcome,
        is_cancelled=judged.is_cancelled,
        is_checked=judged.is_checked,
        commit=left.commit if left and left.changes else None,
        sentence=judged.sentence,
        closing_words=facts.closing_words,
        quote=judged.quote or (end.quote if end else None),
    )


def _ended(why: Outcome, sentence: str) -> Ended:
    return _closing(Verdict(outcome=why, sentence=sentence))
