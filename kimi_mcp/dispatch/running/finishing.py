"""The end of a dispatch: what was delivered is merged, and what is older now is said to be."""

from collections.abc import Mapping
from dataclasses import dataclass

import anyio

from kimi_mcp.dispatch.running.merging import Merger, NotMerged
from kimi_mcp.dispatch.running.record import Clock
from kimi_mcp.history.history import History
from kimi_mcp.history.records import Dispatch, Task
from kimi_mcp.lifecycle import DispatchState
from kimi_mcp.spec.graph import upstream
from kimi_mcp.spec.model import Spec


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """What the end of a dispatch needs to know."""

    history: History
    dispatch: Dispatch
    spec: Spec
    rows: Mapping[int, Task]  # as they were when the runner began
    delivered: Mapping[int, str]  # the commit of each delivered task
    merger: Merger
    cancelled: anyio.Event
    clock: Clock

    async def carry_out(self) -> None:
        """Merge, and move the dispatch to its terminal state."""
        self._mark_older()
        merged, note = await self._merge()
        self.history.move_dispatch(
            self.dispatch.id,
            source=DispatchState.RUNNING,
            target=DispatchState.CANCELLED if self.cancelled.is_set() else DispatchState.FINISHED,
            at=self.clock(),
            merged_commit=merged,
            note=note,
        )

    def _mark_older(self) -> None:
        """Tell of delivered tasks that began from a version of another one that is older now."""
        before = {n: row.commit_id for n, row in self.rows.items() if row.commit_id is not None}
        renewed = {n for n, commit in self.delivered.items() if before.get(n, commit) != commit}
        for number in sorted(before.keys() - renewed):
            older = sorted(upstream(self.spec, number) & renewed)
            if older and number in self.delivered:
                named = ", ".join(f"task {other}" for other in older)
                self.history.note_task(self.dispatch.id, number, f"Based on an older {named}.")

    async def _merge(self) -> tuple[str | None, str | None]:
        """Merge what was delivered; return the commit, or why there is none."""
        delivered = {number: self.delivered[number] for number in sorted(self.delivered)}
        if not delivered or self.cancelled.is_set():
            return None, None
        try:
            commit = await self.merger.merge_all(
                delivered,
                expected=self.dispatch.merged_commit,
                commands=[c for number in delivered for c in self.spec.task(number).commands],
                cancelled=self.cancelled,
            )
        except NotMerged as reason:
            older = self.dispatch.merged_commit and " The merged branch stays as it was before."
            return None, f"{reason}{older or ''}"
        return commit, None
