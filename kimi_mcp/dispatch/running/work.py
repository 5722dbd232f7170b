"""What one attempt at one task needs. Data only."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import anyio

from kimi_mcp.dispatch.errand import Purpose
from kimi_mcp.dispatch.events import TaskEvent
from kimi_mcp.dispatch.orders import Orders
from kimi_mcp.dispatch.running.confines import Confines
from kimi_mcp.dispatch.running.rivalry import Rival
from kimi_mcp.dispatch.running.verdict import Verdict
from kimi_mcp.kimi.observations import Observation
from kimi_mcp.kimi.outcome import RunFacts
from kimi_mcp.quoting.shapes import Redact
from kimi_mcp.spec.model import Spec, Task
from kimi_mcp.state import TaskFolder
from kimi_mcp.workspace.clone import Ledger

Emit = Callable[[TaskEvent], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What the attempts before this one have left."""

    commit: str  # the newest commit of the task, or its base: the next one is built on it
    session_id: str | None  # Kimi's, when one was begun
    is_reconciled: bool = False  # another task's work was merged into it


class Wave(Protocol):
    """Several tasks that one Kimi works on, in the place of one."""

    @property
    def brief(self) -> str:
        """The prompt with which that Kimi begins."""
        ...

    @property
    def most_steps(self) -> int:
        """How many steps it and its agents may take together before they are ended; 0: any."""
        ...

    def saw(self, seen: Observation) -> None:
        """Take note of what is seen of it, before it becomes an event."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What a wave has left for one of its tasks."""

    facts: RunFacts
    commit: str  # of everything that the wave has changed
    foreign: tuple[str, ...] = ()  # paths in it that are not this task's
    nobodys: tuple[str, ...] = ()  # paths that no task lists and no agent is known to have written
    unready: Verdict | None = None  # why the wave could not begin


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskWork:
    """Everything that one attempt needs."""

    dispatch: str
    spec: Spec
    task: Task
    attempt: int
    base: str  # the commit that the task is compared with
    earlier: Earlier | None  # nothing in a first attempt
    purpose: Purpose
    feedback: str | None
    rival: Rival | None  # that this attempt is to be reconciled with
    drop_files: tuple[str, ...]
    dependency_changes: tuple[str, ...]
    orders: Orders
    checkout: Path  # the user's
    ledger: Ledger
    folder: TaskFolder
    confines: Confines
    host: Mapping[str, str]  # the runner's environment
    paused: anyio.Event  # set when the account has nothing left for any Kimi
    redact: Redact  # takes the secrets out of a text
    wave: Wave | None = None  # this is the work of several tasks
    share: Share | None = None  # its Kimi has worked already, together with others

    @property
    def output(self) -> Path:
        """Where the raw output of this attempt goes."""
        return self.folder.attempt(self.attempt)

    @property
    def may_hold_markers(self) -> bool:
        """Whether conflict markers were laid into the clone, by this attempt or an earlier one."""
        return self.rival is not None or (self.earlier is not None and self.earlier.is_reconciled)

    @property
    def parent(self) -> str:
        """The commit that this attempt's commit is built on."""
        return self.earlier.commit if self.earlier else self.base

    @property
    def step_budget(self) -> int:
        """How many steps Kimi may take; 0 for no limit."""
        return self.orders.step_budget(self.spec.budget, self.task.budget)
