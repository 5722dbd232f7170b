"""One attempt at one task: a commit goes in; events and a commit come out.

Knows no database and no server: this is the seam where another executor can stand. The order is
fixed: clone, setup, Kimi, commit, scope, then the spec's commands on exactly that commit.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio

from kimi_mcp.dispatch import verdict
from kimi_mcp.dispatch.assignment import allowed, assignment
from kimi_mcp.dispatch.checks import Environment, clear_the_ground, prove
from kimi_mcp.dispatch.events import Committed, Ended, Noted, Started, TaskEvent
from kimi_mcp.dispatch.giving_up import unless
from kimi_mcp.dispatch.orders import Orders
from kimi_mcp.dispatch.verdict import Verdict
from kimi_mcp.dispatch.watching import Watching
from kimi_mcp.errors import KimiMcpError, Refused
from kimi_mcp.history.records import Change
from kimi_mcp.kimi import brief, command, guidance, home, outcome, run
from kimi_mcp.kimi.observations import Observation
from kimi_mcp.kimi.outcome import RunEnd, RunFacts
from kimi_mcp.lifecycle import EXPLANATIONS, Outcome
from kimi_mcp.processes.child import NotStarted
from kimi_mcp.processes.environment import passed_on
from kimi_mcp.profiles.compose import compose_config
from kimi_mcp.profiles.source import read_config
from kimi_mcp.spec.model import Spec, Task
from kimi_mcp.state import TaskFolder
from kimi_mcp.workspace.clone import Ledger, lay_clone
from kimi_mcp.workspace.commit import Attempt, commit_work
from kimi_mcp.workspace.leftovers import Stamp, leftovers
from kimi_mcp.workspace.scope import exact_paths, strays

Emit = Callable[[TaskEvent], Awaitable[None]]
NAMED_FILES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskWork:
    """Everything that one attempt needs."""

    dispatch: str
    spec: Spec
    task: Task
    attempt: int
    base: str  # the commit to start from
    dependency_changes: tuple[str, ...]
    orders: Orders
    ledger: Ledger
    folder: TaskFolder
    host: Mapping[str, str]  # the runner's environment

    @property
    def output(self) -> Path:
        """Where the raw output of this attempt goes."""
        return self.folder.attempt(self.attempt)

    @property
    def step_budget(self) -> int:
        """How many steps Kimi may take; 0 for no limit."""
        return self.orders.step_budget(self.spec.budget, self.task.budget)


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
    await anyio.to_thread.run_sync(_lay, work)
    failed = await unless(cancelled, partial(environment.set_up, output=work.output))
    if cancelled.is_set():
        return _cancelled(None)
    if failed is not None:
        text, result = failed
        return _ended(Outcome.SETUP_FAILED, f"The setup command `{text}` failed.", result.tail)
    if work.orders.setup and (made := await anyio.to_thread.run_sync(_made_by_setup, work)):
        named = ", ".join(made[:NAMED_FILES])
        return _ended(
            Outcome.SETUP_FAILED,
            f"The setup commands changed files that git keeps ({named}); they would look like "
            "Kimi's work. Let setup leave them alone, or have git ignore them.",
        )
    prepared = await anyio.to_thread.run_sync(_leftovers, work)

    try:
        await anyio.to_thread.run_sync(_lay_home, work)
    except Refused as refusal:
        return _ended(Outcome.CONFIG_INVALID, str(refusal))
    try:
        facts = await _run_kimi(work, emit=emit, cancelled=cancelled)
    finally:
        home.forget_secrets(work.folder.home)
    end = outcome.classify(facts)
    if facts.stop_reason is outcome.StopReason.LINGERING:
        await emit(Noted(text="Kimi answered completely but did not exit; it was ended."))

    left = await anyio.to_thread.run_sync(_commit, work, end)
    changes = _judged(work, left)
    await emit(Committed(commit=left.commit, changes=changes))
    for skipped in left.skipped:
        await emit(Noted(text=f"Not committed: {skipped.path} ({skipped.reason})."))
    judged = verdict.before_checks(end, changes)
    if judged is None:
        judged = await _checked(
            work, left, environment=environment, prepared=prepared, emit=emit, cancelled=cancelled
        )
    return _closing(judged, left, facts, end)


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
        failed = await unless(cancelled, partial(environment.set_up, output=work.output))
        if failed is not None:
            return Verdict(
                outcome=Outcome.SETUP_FAILED, sentence=f"The setup command `{failed[0]}` failed."
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


async def _run_kimi(work: TaskWork, *, emit: Emit, cancelled: anyio.Event) -> RunFacts:
    orders, folder = work.orders, work.folder
    text = brief.compose(
        assignment(
            work.spec,
            work.task,
            step_budget=work.step_budget,
            dependency_changes=work.dependency_changes,
        )
    )
    file = folder.home / "brief.md"
    prompt, is_in_file = command.prompt_for(text, file=file)
    if is_in_file:
        file.write_text(text, encoding="utf-8")
    watching = Watching()

    async def observe(seen: Observation) -> None:
        for event in watching.events(seen):
            await emit(event)

    env = command.environment(
        passed_on(work.host),
        work.host,
        home=folder.home,
        steps=work.step_budget,
        attempts=orders.attempts,
    )
    return await run.run(
        run.RunOrder(
            argv=command.arguments(orders.kimi_argv, prompt),
            env={**env, "TMPDIR": str(folder.temporary)},
            clone=folder.clone,
            home=folder.home,
            raw=work.output,
            step_limit=work.step_budget,
            time_limit_s=orders.task_s,
            silence_limit_s=orders.silence_s,
            grace_s=orders.grace_s,
        ),
        observe=observe,
        cancelled=cancelled,
    )


def _lay(work: TaskWork) -> None:
    lay_clone(work.ledger, work.base, clone=work.folder.clone, index=work.folder.index)
    work.output.mkdir(parents=True, exist_ok=True)
    work.folder.temporary.mkdir(exist_ok=True)


def _lay_home(work: TaskWork) -> None:
    orders, user = work.orders, Path(work.orders.kimi_home)
    config = compose_config(
        read_config(user / "config.toml"),
        steps=work.step_budget,
        attempts=orders.attempts,
        tool_timeout_ms=orders.tool_timeout_ms,
        thinking=orders.thinking,
        model=orders.model,
        subagents=orders.subagents,
    )
    notes = guidance.project_guidance(work.folder.clone)
    home.lay(work.folder.home, user=user, config=config, guidance=notes)


def _leftovers(work: TaskWork) -> Mapping[str, Stamp]:
    return leftovers(work.ledger, work.base, clone=work.folder.clone)


def _made_by_setup(work: TaskWork) -> list[str]:
    return [change.path for change in _store(work, "Setup").changes]


def _commit(work: TaskWork, end: RunEnd) -> Attempt:
    state = "complete" if end.outcome is None and not end.is_cancelled else "unfinished"
    return _store(
        work,
        f"{work.task.title}\n\n"
        f"Kimi-Version: {work.orders.kimi_version}\n"
        f"Kimi-Dispatch: {work.dispatch}\n"
        f"Kimi-Task: {work.task.number}\n"
        f"Kimi-Attempt: {work.attempt} ({state})\n",
    )


def _store(work: TaskWork, message: str) -> Attempt:
    return commit_work(
        work.ledger,
        clone=work.folder.clone,
        index=work.folder.index,
        base=work.base,
        parent=work.base,
        named=exact_paths(allowed(work.task)),
        message=message,
    )


def _judged(work: TaskWork, left: Attempt) -> tuple[Change, ...]:
    reasons = {stray.path: stray.reason for stray in strays(left.changes, allowed(work.task))}
    changed = [
        Change(
            path=change.path,
            status=change.status,
            added=change.added,
            deleted=change.deleted,
            stray_reason=reasons.get(change.path),
        )
        for change in left.changes
    ]
    inside = [
        Change(
            path=path,
            status="M",
            added=None,
            deleted=None,
            stray_reason="inside a submodule, where no branch of this repository can hold it",
        )
        for path in left.in_submodules
    ]
    return (*changed, *inside)


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
