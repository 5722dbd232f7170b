"""How the runner has an attempt carried out on another machine, and writes down what is told there.

The actor of an attempt has the attempt's name; so whoever comes later finds it, learns what was
told after the last event that is stored, and goes on. Only when the actor is gone, and with it the
machine, is the attempt lost.
"""

import json
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from kimi_mcp import __version__
from kimi_mcp.cluster.calls import Cluster, Gone
from kimi_mcp.dispatch.elsewhere.parcel import Sent, parcel_of, tips_of
from kimi_mcp.dispatch.events import Charged, Committed, Ended, Started, Step, TaskEvent, decode
from kimi_mcp.dispatch.running.giving_up import unless
from kimi_mcp.dispatch.running.record import Recorder
from kimi_mcp.dispatch.running.work import TaskWork
from kimi_mcp.errors import KimiMcpError, Unreachable
from kimi_mcp.history.records import Attempt
from kimi_mcp.lifecycle import Outcome
from kimi_mcp.workspace.carrying import packed, take_result

WAIT_S = 20.0  # for news, each time


def name_of(dispatch: str, task: int, attempt: int) -> str:
    """Name the actor of an attempt."""
    return f"{dispatch}-task-{task}-a{attempt}"


@dataclass(slots=True, kw_only=True)
class Away:
    """One attempt on another machine.

    *handed* is Kimi's configuration, where the user hands it over.
    """

    cluster: Cluster
    work: TaskWork
    recorder: Recorder
    cancelled: anyio.Event
    sent: Sent
    handed: str | None = None
    _node: str = ""
    _is_begun: bool = False
    _steps: int = 0

    async def carry_out(self) -> bool:
        """Have the attempt carried out; False when it was cancelled before it began.

        Raises:
            Unreachable: the cluster has been away for too long; what has begun goes on there.
        """
        try:
            facts = await self._placed()
            if facts is None:
                return False
            # before it works: whoever comes later must know where to look
            await self._started(facts["host"])
            await self._begin()
        except Gone as gone:
            await self._lose(str(gone))
        except Unreachable as error:
            if self._is_begun:
                raise
            await self._crash(error)
        else:
            await self._follow(0)
        return True

    async def take_up(self, attempt: Attempt) -> None:
        """Go on with an attempt that an earlier runner placed, after the last event it stored.

        Raises:
            Unreachable: the cluster has been away for too long; it goes on there.
        """
        self._node = attempt.node or ""
        self._is_begun = True
        self._steps = attempt.steps
        await self.recorder.go_on(attempt)
        try:
            await self._find()
        except Gone as gone:
            await self._lose(str(gone))
        else:
            await self._follow(attempt.taken)

    async def _find(self) -> None:
        facts = await self._ask("find")
        if facts is None:
            raise Gone("nobody there knows of it any more.")
        if not facts["is_begun"]:  # its runner died before it could say what is to be done
            await self._begin()

    async def _started(self, node: str) -> None:
        self._node = node
        self._is_begun = True
        await self.recorder.record(Started(base=self.work.base, node=node or None))

    @property
    def _name(self) -> str:
        return name_of(self.work.dispatch, self.work.task.number, self.work.attempt)

    async def _ask(self, do: str, **values: Any) -> Any:
        return await self.cluster.ask(do, name=self._name, **values)

    async def _placed(self) -> Mapping[str, Any] | None:
        """Wait until a node has taken the attempt; nothing is returned when it is cancelled."""
        asked = self.cluster.asked
        wanted = {"memory": asked.memory_bytes, "labels": dict(asked.labels), "wait_s": WAIT_S}

        async def place() -> Mapping[str, Any]:
            while (facts := await self._ask("place", **wanted)) is None:
                pass
            return facts

        facts = await unless(self.cancelled, partial(_caught, place))
        if isinstance(facts, Exception):
            raise facts
        if facts is None:
            await self._ask("drop")
        elif facts["kimi_mcp"] != __version__:
            await self._ask("drop")
            raise Unreachable(
                f"{facts['host']} runs kimi-mcp {facts['kimi_mcp']}, this machine {__version__}: "
                "have the same on both."
            )
        elif not facts["is_guarded"] and not asked.is_open_allowed:
            await self._ask("drop")
            raise Unreachable(
                f"The cluster {asked.address} asks nobody for a token: whoever reaches it could "
                "run anything there. Start it with one, or set cluster.open = true."
            )
        return facts

    async def _begin(self) -> None:
        held = await self._ask("held", key=self.sent.key)
        order = json.dumps(parcel_of(self.work, self.sent))
        with tempfile.TemporaryDirectory(dir=self._inbox, prefix="outbox.") as folder:
            pack = Path(folder, "pack")
            content = await anyio.to_thread.run_sync(
                partial(
                    packed,
                    self.work.ledger.git_dir,
                    tips_of(self.work),
                    boundary=self.sent.boundary,
                    held=held,
                )
            )
            await anyio.Path(pack).write_bytes(content)
            secrets = json.dumps({"kimi_config": self.handed})
            begin = partial(self._ask, "begin", order=order, secrets=secrets, pack=str(pack))
            if not await begin():
                await self._ask("drop")
                raise Gone("it was at work there for a history that is not this one.")

    @property
    def _inbox(self) -> Path:
        return self.work.ledger.git_dir

    async def _follow(self, after: int) -> None:
        failed: Exception | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(self._pass_on, self.cancelled, "cancel")
            group.start_soon(self._pass_on, self.work.paused, "pause")
            failed = await _caught(partial(self._listen, after))
            group.cancel_scope.cancel()
        match failed:
            case None:
                pass
            case Gone():
                await self._lose(str(failed))
                return
            case Unreachable():
                raise failed
            case _:
                await self._crash(failed)
        with suppress(Gone, Unreachable):  # all is stored; an actor that stays costs memory alone
            is_work_there = self.recorder.is_lost or self.recorder.outcome is Outcome.CRASHED
            await self._ask("release", is_kept=is_work_there)

    async def _listen(self, after: int) -> None:
        while True:
            for number, kind, payload in await self._ask("events", after=after, wait_s=WAIT_S):
                event = decode(kind, payload)
                if event is not None:
                    await self._take(event, number)
                after = number
                if isinstance(event, Ended):
                    return

    async def _pass_on(self, wished: anyio.Event, word: str) -> None:
        await wished.wait()
        with suppress(Gone, Unreachable):  # who listens to the attempt will hear it
            await self._ask("say", word=word)

    async def _take(self, event: TaskEvent, number: int) -> None:
        match event:
            case Started():
                return  # that was known before
            case Committed() if event.commit != self.work.parent:
                await self._fetch(event.commit)
            case Step():
                self._steps = event.number
            case Ended() if event.is_lost:  # its machine ended Kimi at once
                await self.recorder.record(Charged(steps=0, possible=1))
            case _:
                pass
        await self.recorder.record(event, taken=number)

    async def _fetch(self, commit: str) -> None:
        parents = [self.work.parent]
        if self.work.base != self.work.parent:
            parents.append(self.work.base)
        with tempfile.TemporaryDirectory(dir=self._inbox, prefix="outbox.") as folder:
            pack = Path(folder, "result")
            await self._ask("result", into=str(pack))
            take = partial(take_result, self.work.ledger, pack, commit, parents=parents)
            await anyio.to_thread.run_sync(take)

    async def _lose(self, why: str) -> None:
        await self._end(f"{self._node or 'Its machine'} was lost with it: {why}", is_lost=True)

    async def _crash(self, error: Exception) -> None:
        await self._end(str(error), is_lost=False)

    async def _end(self, sentence: str, *, is_lost: bool) -> None:
        """End the attempt for its machine, which cannot."""
        if not self._is_begun:
            await self._started("")
        elif is_lost:  # cut off, Kimi may have gone on with the steps that it had left
            unheard = max(1, self.work.step_budget - self._steps)
            await self.recorder.record(Charged(steps=0, possible=unheard))
        await self.recorder.record(
            Ended(
                outcome=None if is_lost else Outcome.CRASHED,
                is_cancelled=False,
                is_checked=False,
                commit=None,
                sentence=sentence,
                is_lost=is_lost,
            )
        )


async def _caught(work: Callable[[], Awaitable[Any]]) -> Any:
    """Return what *work* returns or refuses; a task group would wrap it up."""
    try:
        return await work()
    except (Gone, KimiMcpError) as error:
        return error
