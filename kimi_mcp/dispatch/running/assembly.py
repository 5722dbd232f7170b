"""Putting together what one attempt needs, from all that its dispatch knows."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import anyio

from kimi_mcp.dispatch.errand import Errand
from kimi_mcp.dispatch.orders import Orders
from kimi_mcp.dispatch.running.confines import Confines, of_repository
from kimi_mcp.dispatch.running.origin import Origins
from kimi_mcp.dispatch.running.record import Clock, Recorder
from kimi_mcp.dispatch.running.rivalry import Rival
from kimi_mcp.dispatch.running.slots import NOWHERE, Slot
from kimi_mcp.dispatch.running.work import Earlier, TaskWork
from kimi_mcp.history.history import History
from kimi_mcp.history.records import Attempt, Change, Dispatch
from kimi_mcp.history.records import Task as TaskRow
from kimi_mcp.spec.model import Spec
from kimi_mcp.state import RunFolder, TaskFolder
from kimi_mcp.workspace.clone import Ledger
from kimi_mcp.workspace.repository import Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """Makes the attempts of one dispatch."""

    history: History
    dispatch: Dispatch
    spec: Spec
    orders: Orders
    errand: Errand
    repository: Repository
    ledger: Ledger
    folder: RunFolder
    host: Mapping[str, str]
    clock: Clock
    rows: Mapping[int, TaskRow]
    changes: Mapping[int, tuple[Change, ...]]  # of each delivered task, as it comes to be
    paused: anyio.Event

    def next_attempt(self, number: int, slot: Slot, origins: Origins) -> tuple[TaskWork, Recorder]:
        """Make a task's next attempt.

        Raises:
            NotMerged: the tasks that it depends on conflict.
        """
        row = self.rows[number]
        base, earlier, rival = origins.of(self.spec.task(number), row)
        begun = row.attempts
        return self._made(row, slot, begun + 1, base=base, earlier=earlier, rival=rival)

    def gone_on(self, attempt: Attempt) -> tuple[TaskWork, Recorder]:
        """Make an attempt again that another machine has gone on with."""
        before = self.history.attempts(self.dispatch.id, attempt.task)[:-1]
        kept = [one.commit_id for one in before if one.commit_id is not None]
        earlier = Earlier(commit=kept[-1], session_id=None) if kept else None
        row = self.rows[attempt.task]
        base, number = attempt.base_commit, attempt.attempt
        return self._made(row, NOWHERE, number, base=base, earlier=earlier, rival=None)

    def _made(
        self,
        row: TaskRow,
        slot: Slot,
        attempt: int,
        *,
        base: str,
        earlier: Earlier | None,
        rival: Rival | None,
    ) -> tuple[TaskWork, Recorder]:
        task = self.spec.task(row.number)
        work = TaskWork(
            dispatch=self.dispatch.id,
            spec=self.spec,
            task=task,
            attempt=attempt,
            base=base,
            earlier=earlier,
            purpose=self.errand.purpose,
            feedback=self.errand.feedback,
            rival=rival,
            drop_files=self.errand.drop_files,
            dependency_changes=tuple(
                f"{change.status} {change.path} (task {other})"
                for other in task.depends_on
                for change in self.changes[other]
            ),
            orders=self.orders,
            checkout=self.repository.root,
            ledger=self.ledger,
            folder=self.folder.task(row.number),
            confines=self.confines(self.folder.task(row.number), slot),
            host=self.host,
            paused=self.paused,
            redact=self.history.redact,
        )
        recorder = Recorder(
            self.history,
            repository=self.repository,
            ledger=self.ledger,
            dispatch=self.dispatch.id,
            task=row,
            branch_prefix=self.orders.branch_prefix,
            feedback=self.errand.feedback,
            clock=self.clock,
        )
        return work, recorder

    def confines(self, folder: TaskFolder, slot: Slot) -> Confines:
        """Return the surroundings of the programs that work in *folder*."""
        return Confines(
            folder,
            port=slot.port,
            orders=self.orders,
            host=self.host,
            repository=of_repository(
                self.repository.root,
                objects=self.repository.objects,
                ledger=self.ledger.git_dir / "objects",
                home=Path(self.host.get("HOME", "/nonexistent")),
                state=self.folder.root,
            ),
        )
