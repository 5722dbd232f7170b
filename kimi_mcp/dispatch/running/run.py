"""One dispatch from its first task to its last, inside the runner.

Starts what the DAG allows, at most `max_parallel` at once and as many as the machine bears, each
task from its base or from the merge of what it depends on; obeys wishes to cancel; at the end
merges what was delivered.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio
from anyio.streams.memory import MemoryObjectSendStream

from kimi_mcp.dispatch.elsewhere.abroad import Abroad
from kimi_mcp.dispatch.errand import Amendments, amended, errand_of
from kimi_mcp.dispatch.orders import Orders
from kimi_mcp.dispatch.running.assembly import Assembly
from kimi_mcp.dispatch.running.earlier import delivered_changes
from kimi_mcp.dispatch.running.finishing import Finish
from kimi_mcp.dispatch.running.merging import Merger, NotMerged
from kimi_mcp.dispatch.running.obeying import obey_cancels
from kimi_mcp.dispatch.running.origin import Origins
from kimi_mcp.dispatch.running.record import Clock, Recorder
from kimi_mcp.dispatch.running.schedule import Schedule
from kimi_mcp.dispatch.running.slots import NOWHERE, Slot, Slots
from kimi_mcp.dispatch.running.swarm import Member, work_together
from kimi_mcp.dispatch.running.task import carry_out
from kimi_mcp.dispatch.running.work import TaskWork
from kimi_mcp.history.history import History
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.records import Change
from kimi_mcp.lifecycle import Outcome, TaskState
from kimi_mcp.spec.parse import parse
from kimi_mcp.state import RunFolder
from kimi_mcp.workspace.clone import open_ledger, pin
from kimi_mcp.workspace.repository import locate

FEWEST_OF_A_WAVE = 2
CANCELLED = "It was cancelled before it began."
PAUSED = "Paused before it began: another task found the plan's allowance used up."


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
        self._errand = errand_of(self._dispatch.errand, self._orders.tasks)
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
        self._abroad: Abroad | None = None
        self._quota_gone = anyio.Event()
        #: Attempts that a wave has begun, until each is judged.
        self._begun: dict[int, tuple[TaskWork, Recorder]] = {}
        self._slots = Slots(folder.slots, count=self._orders.kimis)
        self._assembly = Assembly(
            history=history,
            dispatch=self._dispatch,
            spec=self._spec,
            orders=self._orders,
            errand=self._errand,
            repository=self._repository,
            ledger=self._ledger,
            folder=folder,
            host=host,
            clock=clock,
            rows=self._rows,
            changes=self._changes,
            paused=self._quota_gone,
        )
        self._merger = Merger(
            ledger=self._ledger,
            repository=self._repository,
            orders=self._orders,
            folder=folder.task("merged"),
            confines=self._assembly.confines,
            slots=self._slots,
            dispatch_id=dispatch,
        )
        self._origins = Origins(
            history=history,
            repository=self._repository,
            ledger=self._ledger,
            folder=folder,
            base=self._dispatch.base_commit,
            purpose=self._errand.purpose,
            merger=self._merger,
            delivered=self._delivered,
        )

    async def carry_out(self) -> None:
        """Do all tasks, then merge; ends with the dispatch in a terminal state."""
        await anyio.to_thread.run_sync(pin, self._repository, self._id, self._dispatch.base_commit)
        # held all the time: SQLite then has no reason to checkpoint after every write
        with self._history.follow(self._id) as follower:
            async with anyio.create_task_group() as group:
                obey = partial(obey_cancels, self._history, self._id, follower)
                group.start_soon(partial(obey, whole=self._cancelled, tasks=self._cancels))
                if self._orders.cluster is not None:
                    self._abroad = Abroad(self._assembly, group=group)
                await self._do_tasks()
                if self._abroad is not None:
                    await self._abroad.let_go()
                await Finish(
                    history=self._history,
                    dispatch=self._dispatch,
                    spec=self._spec,
                    rows=self._rows,
                    delivered=self._delivered,
                    merger=self._merger,
                    cancelled=self._cancelled,
                    clock=self._clock,
                ).carry_out()
                group.cancel_scope.cancel()

    async def _do_tasks(self) -> None:
        schedule = Schedule({task.number: task.depends_on for task in self._tasks})
        send, ended = anyio.create_memory_object_stream[tuple[int, bool]](math.inf)
        waiting: list[int] = []
        running = 0
        async with send, ended, anyio.create_task_group() as workers:
            while not schedule.is_over:
                waiting += schedule.ready()
                free = [number for number in waiting if not schedule.obstacles(number)]
                await self._swarm_over(free)
                while waiting and running < self._orders.max_parallel:
                    number = waiting.pop(0)
                    running += 1
                    obstacles = schedule.obstacles(number)
                    workers.start_soon(partial(self._do_task, number, obstacles, say=send))
                number, is_delivered = await ended.receive()
                running -= 1
                schedule.ended(number, is_delivered=is_delivered)

    async def _swarm_over(self, numbers: Sequence[int]) -> None:
        """Let one Kimi work on tasks together; their attempts are begun, and judged in turn."""
        if self._orders.fan_out != "swarm" or self._quota_gone.is_set():
            return
        fresh = [n for n in numbers if n in self._errand.tasks and not self._rows[n].attempts]
        open_ones = [n for n in fresh if n not in self._begun and not self._cancels[n].is_set()]
        if len(open_ones) < FEWEST_OF_A_WAVE:
            return
        async with self._slots.taken(self._cancelled) as slot:
            if slot is None:
                return
            try:
                found = [await self._prepared(number, slot) for number in open_ones]
            except NotMerged:
                return  # it is told when the task's own turn comes
            works = [one for one in found if one[0].base == found[0][0].base]
            if len(works) < FEWEST_OF_A_WAVE:
                return
            folder = self._folder.wave(works[0][0].task.number)
            shares = await work_together(
                [Member(work=work, emit=recorder.record) for work, recorder in works],
                folder=folder,
                confines=self._assembly.confines(folder, slot),
                cancelled=self._cancelled,
            )
        for work, recorder in works:
            number = work.task.number
            self._begun[number] = replace(work, share=shares[number]), recorder

    async def _do_task(
        self,
        number: int,
        obstacles: list[int],
        *,
        say: MemoryObjectSendStream[tuple[int, bool]],
    ) -> None:
        if number not in self._errand.tasks:
            pass  # left as it is
        elif number in self._begun:
            async with self._slots.taken(anyio.Event()) as slot:
                if slot is not None:
                    await self._attempt(number, slot)
        elif self._cancels[number].is_set():
            self._leave(number, TaskState.CANCELLED, CANCELLED)
        elif obstacles:
            named = ", ".join(f"task {n}" for n in obstacles)
            self._leave(number, TaskState.SKIPPED, f"It depends on {named}: not delivered.")
        else:
            await self._begin(number)
        await say.send((number, number in self._delivered))

    async def _begin(self, number: int) -> None:
        """Do a task whose turn has come: here in a free slot, or on another machine."""
        policy = self._abroad.policy(number) if self._abroad else "local"
        if policy != "cluster":
            wait = policy == "local"
            async with self._slots.taken(self._cancels[number], is_waiting=wait) as slot:
                if slot is not None and self._quota_gone.is_set():
                    self._leave(number, TaskState.CANCELLED, PAUSED)
                elif slot is not None:
                    await self._attempt(number, slot)
                elif wait:
                    self._leave(number, TaskState.CANCELLED, CANCELLED)
                if slot is not None or wait:
                    return
        if self._abroad is not None:
            await self._elsewhere(number, self._abroad)

    async def _elsewhere(self, number: int, abroad: Abroad) -> None:
        """Have a task done on another machine; once more where that machine is lost."""
        if attempt := abroad.gone_on(number):
            work, recorder = await anyio.to_thread.run_sync(self._assembly.gone_on, attempt)
            await abroad.take_up(work, recorder, attempt, cancelled=self._cancels[number])
            self._take_in(number, recorder)
            if not recorder.is_lost:
                return
            self._rows[number] = abroad.waiting_again(number)
        for left in reversed(range(1 + abroad.asked.retries)):
            try:
                work, recorder = await self._prepared(number, NOWHERE)
            except NotMerged as conflict:
                self._leave(number, TaskState.FAILED, str(conflict), outcome=Outcome.MERGE_CONFLICT)
                return
            if not await abroad.carry_out(work, recorder, cancelled=self._cancels[number]):
                self._leave(number, TaskState.CANCELLED, CANCELLED)
                return
            self._take_in(number, recorder)
            if not recorder.is_lost or not left or self._cancels[number].is_set():
                return
            self._rows[number] = abroad.waiting_again(number)

    async def _attempt(self, number: int, slot: Slot) -> None:
        try:
            work, recorder = await self._prepared(number, slot)
        except NotMerged as conflict:
            self._leave(number, TaskState.FAILED, str(conflict), outcome=Outcome.MERGE_CONFLICT)
            return
        await carry_out(work, emit=recorder.record, cancelled=self._cancels[number])
        self._take_in(number, recorder)

    def _take_in(self, number: int, recorder: Recorder) -> None:
        """Take note of what an attempt came to."""
        row = self._rows[number]
        if recorder.outcome is Outcome.QUOTA_EXHAUSTED:
            self._quota_gone.set()
        if recorder.delivered is not None:
            is_new = recorder.delivered != row.commit_id
            self._delivered[number] = recorder.delivered
            self._changes[number] = (
                recorder.changes if is_new else delivered_changes(self._history, row)
            )

    async def _prepared(self, number: int, slot: Slot) -> tuple[TaskWork, Recorder]:
        begun = self._begun.pop(number, None)
        if begun is None:
            return await anyio.to_thread.run_sync(
                self._assembly.next_attempt, number, slot, self._origins
            )
        work, recorder = begun
        return replace(work, confines=self._assembly.confines(work.folder, slot)), recorder

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
