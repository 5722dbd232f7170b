"""One attempt at one task: a commit goes in; events and a commit come out.

Knows no database and no server: this is the seam where another executor can stand. The order is
fixed: clone, setup, Kimi, commit, scope, then the spec's commands on exactly that commit.
"""

from collections.abc import Mapping
from functools import partial

import anyio

from kimi_mcp.dispatch import verdict
from kimi_mcp.dispatch.checks import Environment, clear_the_ground, prove
from kimi_mcp.dispatch.employ import employ, lay_home
from kimi_mcp.dispatch.errand import Purpose
from kimi_mcp.dispatch.events import Committed, Ended, Noted, Started
from kimi_mcp.dispatch.giving_up import unless
from kimi_mcp.dispatch.harvest import drop, harvest, judged_changes, made_by_setup
from kimi_mcp.dispatch.verdict import Verdict
from kimi_mcp.dispatch.work import Emit, TaskWork
from kimi_mcp.errors import KimiMcpError, Refused
from kimi_mcp.kimi import home, outcome
from kimi_mcp.kimi.outcome import RunEnd, RunFacts
from kimi_mcp.lifecycle import EXPLANATIONS, Outcome
from kimi_mcp.processes.child import NotStarted
from kimi_mcp.processes.environment import passed_on
from kimi_mcp.workspace.clone import lay_clone
from kimi_mcp.workspace.commit import Attempt
from kimi_mcp.workspace.leftovers import Stamp, leftovers

NAMED_FILES = 5
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
    await emit(Started(base=work.base))
    try:
        ended = await _attempt(work, emit=emit, cancelled=cancelled)
    except KimiMcpError as error:
        ended = _ended(Outcome.CRASHED, str(error))
    except NotStarted as error:
        ended = _ended(Outcome.KIMI_UNUSABLE, f"Kimi could not be started: {error}.")
    await emit(ended)


async def _attempt(work: TaskWork, *, emit: Emit, cancelled: anyio.Event) -> Ended:
    environment = Environment(work.folder, passed_on(work.host), work.orders)
    is_new_clone = await anyio.to_thread.run_sync(_lay, work)
    if is_new_clone:
        unready = await _set_up(work, environment, on=work.parent, cancelled=cancelled)
        if unready is not None:
            return unready
    prepared = await anyio.to_thread.run_sync(
        partial(_leftovers, work, is_bare=is_new_clone and not work.orders.setup)
    )

    facts = NO_RUN
    if work.purpose is Purpose.JUDGE:
        await anyio.to_thread.run_sync(drop, work)
    else:
        try:
            await anyio.to_thread.run_sync(lay_home, work)
        except Refused as refusal:
            return _ended(Outcome.CONFIG_INVALID, str(refusal))
        try:
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
    for skipped in left.skipped:
        await emit(Noted(text=f"Not committed: {skipped.path} ({skipped.reason})."))
    judged = verdict.before_checks(end, changes)
    if judged is None:
        judged = await _checked(
            work, left, environment=environment, prepared=prepared, emit=emit, cancelled=cancelled
        )
        judged = verdict.doubted(judged, end)
    return _closing(judged, left, facts, end)


async def _set_up(
    work: TaskWork, environment: Environment, *, on: str, cancelled: anyio.Event
) -> Ended | None:
    """Run setup in the clone that holds commit *on*; return how the attempt ends if it fails."""
    failed = await unless(cancelled, partial(environment.set_up, output=work.output))
    if cancelled.is_set():
        return _cancelled(None)
    if failed is not None:
        text, result = failed
        return _ended(Outcome.SETUP_FAILED, f"The setup command `{text}` failed.", result.tail)
    changed = partial(made_by_setup, work, since=on)
    if work.orders.setup and (made := await anyio.to_thread.run_sync(changed)):
        named = ", ".join(made[:NAMED_FILES])
        return _ended(
            Outcome.SETUP_FAILED,
            f"The setup commands changed files that git keeps ({named}); they would look like "
            "Kimi's work. Let setup leave them alone, or have git ignore them.",
        )
    return None


async def _checked(
    work: TaskWork,
    left: Attempt,
    *,
    environment: Environment,
    prepared: Mapping[str, Stamp],
    emit: Emit,
    cancelled: anyio.Event,
) -> Verdict:
    """Run the spec's commands on exactly the commit, and judge by them."""
    aside, is_setup_hurt = await anyio.to_thread.run_sync(
        partial(
            clear_the_ground,
            work.ledger,
            work.folder,
            left.commit,
            before=prepared,
            aside=work.output / "aside",
        )
    )
    if aside:
        named = ", ".join(aside[:NAMED_FILES]) + (" …" if len(aside) > NAMED_FILES else "")
        await emit(Noted(text=f"Set aside before the checks, {len(aside)} uncommitted: {named}."))
    if is_setup_hurt:
        await emit(Noted(text="Kimi changed what setup had made; setup ran again."))
        unready = await _set_up(work, environment, on=left.commit, cancelled=cancelled)
        if unready is not None:
            return Verdict(
                outcome=unready.outcome,
                sentence=unready.sentence,
                is_cancelled=unready.is_cancelled,
            )
    checks = await unless(
        cancelled,
        partial(prove, work.task.commands, environment=environment, output=work.output, emit=emit),
    )
    if checks is None:
        return Verdict(outcome=None, is_cancelled=True, sentence="It was cancelled.")
    names = verdict.own_names(
        [
            *(change.path for change in left.changes),
            *(path for entry in work.task.files for path in entry.written_paths),
            *aside,  # Kimi made them, so the environment does not lack them
        ]
    )
    return verdict.after_checks(checks, own_names=names)


def _lay(work: TaskWork) -> bool:
    """Make the task's clone ready; return whether it is a new one.

    The clone of an earlier attempt is kept, for Kimi's session belongs to it. One in which Kimi had
    not begun may be half made, and is moved out of the way.
    """
    folder = work.folder
    work.output.mkdir(parents=True, exist_ok=True)
    folder.temporary.mkdir(exist_ok=True)
    if folder.clone.is_dir():
        if work.earlier is not None and (
            work.earlier.session_id or work.earlier.commit != work.base
        ):
            return False
        folder.clone.rename(work.output / "half-made")
    lay_clone(work.ledger, work.parent, clone=folder.clone, index=folder.index)
    return True


def _leftovers(work: TaskWork, *, is_bare: bool) -> Mapping[str, Stamp]:
    if is_bare:
        return {}  # a new clone that no setup has touched: the walk costs with many files
    return leftovers(work.ledger, work.parent, clone=work.folder.clone)


def _closing(judged: Verdict, left: Attempt, facts: RunFacts, end: RunEnd) -> Ended:
    return Ended(
        outcome=judged.outcome,
        is_cancelled=judged.is_cancelled,
        is_checked=judged.is_checked,
        commit=left.commit if left.changes else None,
        sentence=judged.sentence,
        closing_words=facts.closing_words,
        quote=end.quote,
    )


def _cancelled(commit: str | None) -> Ended:
    return Ended(
        outcome=None,
        is_cancelled=True,
        is_checked=False,
        commit=commit,
        sentence="It was cancelled.",
    )


def _ended(why: Outcome, sentence: str | None = None, quote: str | None = None) -> Ended:
    return Ended(
        outcome=why,
        is_cancelled=False,
        is_checked=False,
        commit=None,
        sentence=sentence or EXPLANATIONS[why].sentence,
        quote=quote,
    )
