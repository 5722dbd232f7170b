"""Which attempts of a dispatch other machines carry out, and having them do it.

At home stays what has its clone and its Kimi session here, what is a reviewer's business (it costs
little), and a repository of which a part cannot be carried.
"""

from contextlib import suppress
from functools import cached_property
from pathlib import Path

import anyio
from anyio.abc import TaskGroup

from kimi_mcp.cluster.asked import Asked, Policy
from kimi_mcp.cluster.calls import Cluster, Gone
from kimi_mcp.dispatch.elsewhere.away import Away, name_of
from kimi_mcp.dispatch.elsewhere.parcel import Sent, repository_key
from kimi_mcp.dispatch.errand import Purpose
from kimi_mcp.dispatch.running.assembly import Assembly
from kimi_mcp.dispatch.running.record import Recorder
from kimi_mcp.dispatch.running.work import TaskWork
from kimi_mcp.errors import Unreachable
from kimi_mcp.history.records import Attempt, Task
from kimi_mcp.workspace.likeness import homebound, likeness

LETTING_GO_S = 30.0
SENT_OUT = frozenset({Purpose.CARRY_OUT, Purpose.RESUME})


class Abroad:
    """The other machines, for one dispatch. *group* is where they are listened to."""

    def __init__(self, assembly: Assembly, *, group: TaskGroup) -> None:
        self._history = assembly.history
        self._dispatch = assembly.dispatch
        self._repository = assembly.repository
        self._orders = assembly.orders
        self._errand = assembly.errand
        self.asked = Asked.from_json(assembly.orders.cluster or {})
        self._cluster = Cluster(self.asked, host=assembly.host, group=group)
        self._told = [
            attempt
            for row in self._history.tasks(self._dispatch.id)
            for attempt in self._history.attempts(self._dispatch.id, row.number)
            if attempt.node is not None and attempt.ended_at is not None
        ]

    def policy(self, number: int) -> Policy:
        """Say where a task's next attempt may be carried out."""
        if self.gone_on(number) is not None:
            return "cluster"
        attempts = self._history.attempts(self._dispatch.id, number)
        is_of_here = bool(attempts) and attempts[-1].node is None
        stays = is_of_here or self._errand.purpose not in SENT_OUT
        return "local" if stays or self._is_homebound else self.asked.policy

    def gone_on(self, number: int) -> Attempt | None:
        """Return the attempt that went on elsewhere when its runner died."""
        attempts = self._history.attempts(self._dispatch.id, number)
        is_open = bool(attempts) and attempts[-1].ended_at is None and attempts[-1].node is not None
        return attempts[-1] if is_open else None

    def waiting_again(self, number: int) -> Task:
        """Have a lost task wait for its next attempt; return it as it stands."""
        self._history.wait_again(self._dispatch.id, number)
        return self._history.task(self._dispatch.id, number)

    async def carry_out(
        self, work: TaskWork, recorder: Recorder, *, cancelled: anyio.Event
    ) -> bool:
        """Have an attempt carried out; False when it was cancelled before it began.

        Raises:
            Unreachable: the cluster has been away for too long; what has begun goes on there.
        """
        return await (await self._away(work, recorder, cancelled)).carry_out()

    async def take_up(
        self, work: TaskWork, recorder: Recorder, attempt: Attempt, *, cancelled: anyio.Event
    ) -> None:
        """Go on with an attempt that went on elsewhere.

        Raises:
            Unreachable: the cluster has been away for too long; it goes on there.
        """
        await (await self._away(work, recorder, cancelled)).take_up(attempt)

    async def let_go(self) -> None:
        """Let those actors end of which an earlier runner had stored all when it died.

        They would hold their slots. Bounded; what cannot be reached now is left.
        """
        with anyio.move_on_after(LETTING_GO_S), suppress(Gone, Unreachable):
            for one in self._told:
                name = name_of(self._dispatch.id, one.task, one.attempt)
                await self._cluster.ask("release", name=name, is_kept=one.commit_id is None)

    async def _away(self, work: TaskWork, recorder: Recorder, cancelled: anyio.Event) -> Away:
        sent = await anyio.to_thread.run_sync(lambda: self._sent)
        return Away(
            cluster=self._cluster,
            work=work,
            recorder=recorder,
            cancelled=cancelled,
            sent=sent,
            handed=self._handed(),
        )

    @cached_property
    def _is_homebound(self) -> bool:
        is_together = self._orders.fan_out == "swarm"
        return is_together or homebound(self._repository, self._dispatch.base_commit) is not None

    @cached_property
    def _sent(self) -> Sent:
        rows = self._history.tasks(self._dispatch.id)
        return Sent(
            spec=self._history.spec_text(self._dispatch.id),
            amendments={row.number: row.amendments for row in rows},
            boundary=self._dispatch.base_commit,
            key=repository_key(self._repository.common_dir),
            likeness=likeness(self._repository),
        )

    def _handed(self) -> str | None:
        """Read Kimi's configuration, where the user chose to hand it over."""
        if self.asked.credential == "node":
            return None
        return (Path(self._orders.kimi_home) / "config.toml").read_text(encoding="utf-8")
