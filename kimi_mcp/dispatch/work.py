"""What one attempt at one task needs. Data only."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from kimi_mcp.dispatch.errand import Purpose
from kimi_mcp.dispatch.events import TaskEvent
from kimi_mcp.dispatch.orders import Orders
from kimi_mcp.spec.model import Spec, Task
from kimi_mcp.state import TaskFolder
from kimi_mcp.workspace.clone import Ledger

Emit = Callable[[TaskEvent], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What the attempts before this one have left."""

    commit: str  # the newest commit of the task, or its base: the next one is built on it
    session_id: str | None  # Kimi's, when one was begun


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
    drop_files: tuple[str, ...]
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
    def parent(self) -> str:
        """The commit that this attempt's commit is built on."""
        return self.earlier.commit if self.earlier else self.base

    @property
    def step_budget(self) -> int:
        """How many steps Kimi may take; 0 for no limit."""
        return self.orders.step_budget(self.spec.budget, self.task.budget)
