"""What an attempt begins from: its base, what earlier attempts left, whom it conflicts with."""

from collections.abc import Mapping
from dataclasses import dataclass

from kimi_mcp.dispatch.errand import Purpose
from kimi_mcp.dispatch.running.earlier import found_earlier
from kimi_mcp.dispatch.running.merging import Merger
from kimi_mcp.dispatch.running.rivalry import Rival
from kimi_mcp.dispatch.running.work import Earlier
from kimi_mcp.history.history import History
from kimi_mcp.history.records import Task as TaskRow
from kimi_mcp.spec.model import Task
from kimi_mcp.state import RunFolder
from kimi_mcp.workspace.clone import Ledger
from kimi_mcp.workspace.repository import Repository


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """Finds the origin of each attempt of one dispatch."""

    history: History
    repository: Repository
    ledger: Ledger
    folder: RunFolder
    base: str  # the dispatch's
    purpose: Purpose
    merger: Merger
    delivered: Mapping[int, str]  # the commit of each delivered task, as it comes to be

    def of(self, task: Task, row: TaskRow) -> tuple[str, Earlier | None, Rival | None]:
        """Return what the task is compared with, what it has left, and whom it conflicts with.

        Raises:
            NotMerged: the tasks that it depends on conflict.
        """
        found = found_earlier(
            self.history,
            row,
            task,
            repository=self.repository,
            ledger=self.ledger,
            folder=self.folder.task(task.number),
        )
        if found is None:
            needed = {other: self.delivered[other] for other in task.depends_on}
            return self.merger.base_of(self.base, needed), None, None
        base, earlier = found
        if self.purpose is not Purpose.REVISE or row.commit_id is None:
            return base, earlier, None
        rival = self.merger.rival_of(task.number, earlier.commit, self.delivered)
        return rival.commit if rival else base, earlier, rival
