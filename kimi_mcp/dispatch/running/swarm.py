"""A wave of independent tasks, given to one Kimi in one clone that hands them to its agents.

Its steps are counted over all agents together and charged to the task that each agent works on; the
leading agent's to the first. When it is over, each task gets a clone of its own with the files that
it lists, and is committed, judged and checked by itself as if a Kimi of its own had left them. A
file that no task lists goes to the task whose agent wrote it; is that not known, none of the wave
can be vouched for.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import anyio

from kimi_mcp.dispatch.events import Fenced, SessionKnown, Spent, Started, Step, TaskEvent
from kimi_mcp.dispatch.running.assignment import allowed, assignment
from kimi_mcp.dispatch.running.checks import Environment
from kimi_mcp.dispatch.running.confines import Confines
from kimi_mcp.dispatch.running.employ import employ, lay_home
from kimi_mcp.dispatch.running.harvest import harvest
from kimi_mcp.dispatch.running.preparing import lay, set_up
from kimi_mcp.dispatch.running.verdict import Verdict
from kimi_mcp.dispatch.running.work import Emit, Share, TaskWork
from kimi_mcp.errors import KimiMcpError, Refused
from kimi_mcp.kimi import brief, home, outcome
from kimi_mcp.kimi.authors import authors
from kimi_mcp.kimi.dialects import DIALECTS
from kimi_mcp.kimi.observations import AgentAsked, Compacting, Observation, StepBegan
from kimi_mcp.kimi.outcome import RunFacts
from kimi_mcp.lifecycle import Outcome
from kimi_mcp.processes.child import NotStarted
from kimi_mcp.spec.model import Task
from kimi_mcp.state import TaskFolder
from kimi_mcp.workspace.commit import Attempt
from kimi_mcp.workspace.scope import strays

_TASK = re.compile(r"\btask-(\d+)\.md\b")
NOBODY = RunFacts(
    exit_code=None,
    signal=None,
    is_answer_complete=False,
    closing_words="",
    stderr_tail="",
    turn_ended=None,
    stop_reason=None,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One task of a wave, and where its events go."""

    work: TaskWork
    emit: Emit


@dataclass(slots=True, kw_only=True)
class _Counts:
    steps: int = 0
    spent: Spent = field(default_factory=lambda: Spent(input=0, cached=0, output=0))


@dataclass(slots=True, kw_only=True)
class Routes:
    """Tells each event of the one Kimi to the task that it belongs to."""

    members: Mapping[int, Member]
    brief: str
    most_steps: int
    _agents: dict[str, int] = field(default_factory=dict[str, int])
    _counts: dict[int, _Counts] = field(default_factory=dict[int, _Counts])
    _total: Spent = field(default_factory=lambda: Spent(input=0, cached=0, output=0))
    _current: int = 0

    @property
    def first(self) -> int:
        """The task that pays for the leading agent."""
        return min(self.members)

    def task_of(self, agent: str | None) -> int | None:
        """Return the task that an agent works on, if that is known."""
        return self._agents.get(agent or "")

    def saw(self, seen: Observation) -> None:
        """Learn which task what is seen belongs to."""
        match seen:
            case AgentAsked():
                named = _TASK.search(seen.text)
                if named and int(named[1]) in self.members:
                    self._agents[seen.agent] = int(named[1])
            case StepBegan() | Compacting():
                self._current = self.task_of(seen.agent) or self.first
            case _:
                pass

    async def emit(self, event: TaskEvent) -> None:
        """Pass an event on, with the numbers of its own task."""
        if isinstance(event, SessionKnown):
            return  # of the wave: no task could go on in it alone
        if isinstance(event, Fenced):
            for member in self.members.values():
                await member.emit(event)
            return
        number = self._current or self.first
        counts = self._counts.setdefault(number, _Counts())
        if isinstance(event, Step):
            counts.steps += not event.tool
            event = replace(event, number=counts.steps)
        if isinstance(event, Spent):
            before, self._total = self._total, event
            counts.spent = Spent(
                input=counts.spent.input + event.input - before.input,
                cached=counts.spent.cached + event.cached - before.cached,
                output=counts.spent.output + event.output - before.output,
            )
            event = counts.spent
        await self.members[number].emit(event)


async def work_together(
    members: Sequence[Member],
    *,
    folder: TaskFolder,
    confines: Confines,
    cancelled: anyio.Event,
) -> Mapping[int, Share]:
    """Let one Kimi work on all *members*; return what it has left for each.

    Their attempts are begun here and ended by whoever judges the shares. When this returns or is
    cancelled, no process that the wave started is left.
    """
    by_number = {member.work.task.number: member for member in members}
    for member in members:
        await member.emit(Started(base=member.work.base))
    routes = Routes(
        members=by_number,
        brief=brief.lead(sorted(by_number), folder=str(folder.home)),
        most_steps=_together([member.work.step_budget for member in members]),
    )
    first = by_number[routes.first].work
    work = replace(
        first,
        task=_united([member.work.task for member in members]),
        orders=replace(first.orders, subagents=True),
        folder=folder,
        confines=confines,
        wave=routes,
    )
    try:
        return await _worked(work, routes, cancelled=cancelled)
    except Refused as refusal:
        return _unready(by_number, Outcome.CONFIG_INVALID, str(refusal))
    except KimiMcpError as error:
        return _unready(by_number, Outcome.CRASHED, str(error))
    except NotStarted as error:
        return _unready(by_number, Outcome.KIMI_UNUSABLE, f"Kimi could not be started: {error}.")


async def _worked(work: TaskWork, routes: Routes, *, cancelled: anyio.Event) -> Mapping[int, Share]:
    environment = Environment(work.folder, work.confines, work.orders)
    await anyio.to_thread.run_sync(lay, work)
    unready = await set_up(work, environment, on=work.parent, cancelled=cancelled)
    if unready is not None:
        return {
            number: Share(facts=NOBODY, commit=work.base, unready=unready)
            for number in routes.members
        }
    try:
        await anyio.to_thread.run_sync(_lay_briefs, work, routes)
        await anyio.to_thread.run_sync(work.confines.hand_over)
        facts = await employ(work, is_same_clone=False, emit=routes.emit, cancelled=cancelled)
    finally:
        home.forget_secrets(work.folder.home)
    return await anyio.to_thread.run_sync(partial(_shares, work, routes, facts))


def _lay_briefs(work: TaskWork, routes: Routes) -> None:
    lay_home(work)
    for number, member in routes.members.items():
        told = brief.compose(
            assignment(
                work.spec,
                member.work.task,
                step_budget=member.work.step_budget,
                dependency_changes=member.work.dependency_changes,
            )
        )
        file = work.folder.home / f"task-{number}.md"
        file.write_text(told, encoding="utf-8")


def _shares(work: TaskWork, routes: Routes, facts: RunFacts) -> Mapping[int, Share]:
    """Say for each task which changes of the wave are not its own, and which are nobody's."""
    left = harvest(work, outcome.classify(facts))
    dialect = DIALECTS[work.orders.kimi_dialect]
    wrote = authors(work.folder.home, dialect, clone=work.folder.clone)
    owners = {
        change: _listing(left, change, routes) or routes.task_of(wrote.get(change))
        for change in (one.path for one in left.changes)
    }
    nobodys = tuple(path for path, owner in owners.items() if owner is None)
    return {
        number: Share(
            facts=facts,
            commit=left.commit,
            foreign=tuple(path for path, owner in owners.items() if owner != number),
            nobodys=nobodys,
        )
        for number in routes.members
    }


def _listing(left: Attempt, path: str, routes: Routes) -> int | None:
    """Return the task whose list allows the change of *path*."""
    for number, member in sorted(routes.members.items()):
        objections = {stray.path for stray in strays(left.changes, allowed(member.work.task))}
        if path not in objections:
            return number
    return None


def _united(tasks: Sequence[Task]) -> Task:
    """Make one task of several: what may be written is what any of them may write."""
    named = ", ".join(str(task.number) for task in tasks)
    budgets = [task.budget for task in tasks if task.budget is not None]
    return Task(
        number=tasks[0].number,
        title=f"Tasks {named}",
        files=tuple(entry for task in tasks for entry in task.files),
        budget=max(budgets) if len(budgets) == len(tasks) else None,
    )


def _together(budgets: Sequence[int]) -> int:
    """Return after how many steps more are too many: the last that is allowed ends the wave."""
    return max(1, sum(budgets) - 1) if all(budgets) else 0


def _unready(members: Mapping[int, Member], why: Outcome, sentence: str) -> Mapping[int, Share]:
    unready = Verdict(outcome=why, sentence=sentence)
    return {
        number: Share(facts=NOBODY, commit=member.work.base, unready=unready)
        for number, member in members.items()
    }
