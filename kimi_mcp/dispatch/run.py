"""One dispatch from its first task to its last, inside the runner.

Starts what the DAG allows, at most `max_parallel` at once, each task from its base or from the
merge of what it depends on; obeys wishes to cancel; at the end merges what was delivered.
"""

import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import anyio
from anyio.streams.memory import MemoryObjectSendStream

from kimi_mcp.dispatch.earlier import delivered_changes, found_earlier
from kimi_mcp.dispatch.errand import Amendments, Errand, Purpose, amended
from kimi_mcp.dispatch.merging import Merger, NotMerged
from kimi_mcp.dispatch.orders import Orders
from kimi_mcp.dispatch.record import Clock, Recorder
from kimi_mcp.dispatch.schedule import Schedule
from kimi_mcp.dispatch.task import carry_out
from kimi_mcp.dispatch.work import Earlier, TaskWork
from kimi_mcp.history.follower import Follower
from kimi_mcp.history.history import History
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.records import Change, Dispatch
from kimi_mcp.history.records import Task as TaskRow
from kimi_mcp.lifecycle import DispatchState, Outcome, TaskState
from kimi_mcp.spec.graph import upstream
from kimi_mcp.spec.model import Task
from kimi_mcp.spec.parse import parse
from kimi_mcp.state import RunFolder
from kimi_mcp.workspace.clone import open_ledger, pin
from kimi_mcp.workspace.repository import locate

CANCEL_POLL_S = 0.2


class Run:
    """Carries a claimed dispatch out."""

    def __init__(
        self,
        history: History,
        dispatch: DispatchId,
        *,
        folder: RunFolder,
        host: Mapping[str, str],
        clock: Clock,
    ) -> None:
        self._history = history
        self._id = dispatch
        self._folder = folder
        self._host = host
        self._clock = clock
        self._dispatch = history.dispatch(dispatch)
        self._orders = Orders.from_json(self._dispatch.orders)
        self._errand = _errand(self._dispatch, self._orders)
        self._rows = {row.number: row for row in history.tasks(dispatch)}
        self._spec = amended(
            parse(history.spec_text(dispatch), name=self._dispatch.spec_path),
            {n: Amendments.from_json(row.amendments) for n, row in self._rows.items()},
        )
        self._repository = locate(Path(self._dispatch.repository))
        self._ledger = open_ledger(self._repository, folder.git)
        self._tasks = [self._spec.task(number) for number in self._orders.tasks]
        self._cancels = {task.number: anyio.Event() for task in self._tasks}
        #: The commit of each delivered task, and what it changed: those of earlier runners first.
        self._delivered: dict[int, str] = {}
        self._changes: dict[int, tuple[Change, ...]] = {}
        for number, row in self._rows.items():
            if row.state is TaskState.DELIVERED and row.commit_id is not None:
                self._delivered[number] = row.commit_id
                self._changes[number] = delivered_changes(history, row)
        self._cancelled = anyio.Event()
        self._merger = Merger(
            ledger=self._ledger,
            repository=self._repository,
            orders=self._orders,
            folder=folder.task("merged"),
            host=host,
            dispatch_id=dispatch,
        )

    async def carry_out(self) -> None:
        """Do all tasks, then merge; ends with the dispatch in a terminal state."""
        await anyio.to_thread.run_sync(pin, self._repository, self._id, self._dispatch.base_commit)
        # held all the time: SQLite then has no reason to checkpoint after every write
        with self._history.follow(self._id) as follower:
            async with anyio.create_task_group() as group:
                group.start_soon(self._obey_cancels, follower)
                await self._do_tasks()
                await self._finish()
                group.cancel_scope.cancel()

    async def _do_tasks(self) -> None:
        schedule = Schedule({task.number: task.depends_on for task in self._tasks})
        send, ended = anyio.create_memory_object_stream[tuple[int, bool]](math.inf)
        waiting: list[int] = []
        running = 0
        async with send, ended, anyio.create_task_group() as workers:
            while not schedule.is_over:
                waiting += schedule.ready()
                while waiting and running < self._orders.max_parallel:
                    number = waiting.pop(0)
                    running += 1
                    obstacles = schedule.obstacles(number)
                    workers.start_soon(partial(self._do_task, number, obstacles, say=send))
                number, is_delivered = await ended.receive()
                running -= 1
                schedule.ended(number, is_delivered=is_delivered)

    async def _do_task(
        self,
        number: int,
        obstacles: list[int],
        *,
        say: MemoryObjectSendStream[tuple[int, bool]],
    ) -> None:
        if number not in self._errand.tasks:
            pass  # left as it is
        elif self._cancels[number].is_set():
            self._leave(number, TaskState.CANCELLED, "It was cancelled before it began.")
        elif obstacles:
            named = ", ".join(f"task {n}" for n in obstacles)
            self._leave(number, TaskState.SKIPPED, f"It depends on {named}: not delivered.")
        else:
            await self._attempt(number)
        await say.send((number, number in self._delivered))

    async def _attempt(self, number: int) -> None:
        task, row = self._spec.task(number), self._rows[number]
        try:
            base, earlier = await anyio.to_thread.run_sync(self._ground, task, row)
        except NotMerged as conflict:
            self._leave(number, TaskState.FAILED, str(conflict), outcome=Outcome.MERGE_CONFLICT)
            return
        recorder = Recorder(
            self._history,
            repository=self._repository,
            ledger=self._ledger,
            dispatch=self._id,
            task=row,
            branch_prefix=self._orders.branch_prefix,
            feedback=self._errand.feedback,
            clock=self._clock,
        )
        work = TaskWork(
            dispatch=self._id,
            spec=self._spec,
            task=task,
            attempt=row.attempts + 1,
            base=base,
            earlier=earlier,
            purpose=self._errand.purpose,
            feedback=self._errand.feedback,
            drop_files=self._errand.drop_files,
            dependency_changes=tuple(
                f"{change.status} {change.path} (task {other})"
                for other in task.depends_on
                for change in self._changes[other]
            ),
            orders=self._orders,
            ledger=self._ledger,
            folder=self._folder.task(number),
            host=self._host,
        )
        await carry_out(work, emit=recorder.record, cancelled=self._cancels[number])
        if recorder.delivered is not None:
            is_new = recorder.delivered != row.commit_id
            self._delivered[number] = recorder.delivered
            self._changes[number] = (
                recorder.changes if is_new else delivered_changes(self._history, row)
            )

    def _ground(self, task: Task, row: TaskRow) -> tuple[str, Earlier | None]:
        """Return the commit that the task is compared with, and what earlier attempts left."""
        found = found_earlier(
            self._history,
            row,
            task,
            repository=self._repository,
            ledger=self._ledger,
            folder=self._folder.task(task.number),
        )
        if found is not None:
            return found
        needed = [self._delivered[other] for other in task.depends_on]
        return self._merger.base_of(self._dispatch.base_commit, needed), None

    def _leave(
        self, number: int, target: TaskState, sentence: str, *, outcome: Outcome | None = None
    ) -> None:
        """Write a task off that is never begun."""
        self._history.move_task(
            self._id,
            number,
            source=TaskState.WAITING,
            target=target,
            at=self._clock(),
            sentence=sentence,
            outcome=outcome,
        )

    async def _finish(self) -> None:
        self._mark_older()
        merged, note = await self._merge()
        self._history.move_dispatch(
            self._id,
            source=DispatchState.RUNNING,
            target=DispatchState.CANCELLED if self._cancelled.is_set() else DispatchState.FINISHED,
            at=self._clock(),
            merged_commit=merged,
            note=note,
        )

    def _mark_older(self) -> None:
        """Tell of delivered tasks that began from a version of another one that is older now."""
        before = {n: row.commit_id for n, row in self._rows.items() if row.commit_id is not None}
        renewed = {n for n, commit in self._delivered.items() if before.get(n, commit) != commit}
        for number in sorted(before.keys() - renewed):
            older = sorted(upstream(self._spec, number) & renewed)
            if older and number in self._delivered:
                named = ", ".join(f"task {other}" for other in older)
                self._history.note_task(self._id, number, f"Based on an older {named}.")

    async def _merge(self) -> tuple[str | None, str | None]:
        """Merge what was delivered; return the commit, or why there is none."""
        delivered = {number: self._delivered[number] for number in sorted(self._delivered)}
        if not delivered or self._cancelled.is_set():
            return None, None
        try:
            commit = await self._merger.merge_all(
                delivered,
                expected=self._dispatch.merged_commit,
                commands=[c for number in delivered for c in self._spec.task(number).commands],
                cancelled=self._cancelled,
            )
        except NotMerged as reason:
            return None, str(reason)
        return commit, None

    async def _obey_cancels(self, follower: Follower) -> None:
        while True:
            await anyio.sleep(CANCEL_POLL_S)
            if not follower.changed():
                continue
            wishes = await anyio.to_thread.run_sync(self._history.cancel_requests, self._id)
            if wishes.is_whole_dispatch:
                self._cancelled.set()
            for number, event in self._cancels.items():
                if wishes.is_whole_dispatch or number in wishes.tasks:
                    event.set()


def _errand(dispatch: Dispatch, orders: Orders) -> Errand:
    if dispatch.errand is None:
        return Errand(purpose=Purpose.CARRY_OUT, tasks=orders.tasks)
    return Errand.from_json(dispatch.errand)
