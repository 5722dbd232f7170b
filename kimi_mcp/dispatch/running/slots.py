"""How many tasks work at once on this machine, whichever dispatch they belong to.

A slot is a lock file in the state folder, held while a task works: the kernel drops the lock with
its process, so a slot can never leak. Each has a block of ports for what its task serves.
A Kimi takes about 0.4 GB (measured: Kimi Code 2.1.0), and builds and tests take more, so by
default Kimis may fill half of the memory, and while memory is short only one more is not begun.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import psutil
from filelock import FileLock, Timeout

KIMI_BYTES = 400_000_000
MOST_SLOTS = 64
POLL_S = 0.2
FIRST_PORT = 20_000  # below what systems hand out by themselves
PORTS = 10  # of each slot


@dataclass(frozen=True, slots=True)
class Slot:
    """A place among what works at once."""

    number: int

    @property
    def port(self) -> int:
        """The first of its ports."""
        return FIRST_PORT + self.number * PORTS


#: The place of what does not work on this machine.
NOWHERE = Slot(0)


class Slots:
    """The slots of this machine's user.

    Args:
        folder: where the lock files lie, the same for all dispatches.
        count: how many there are; 0 for as many as half of the memory holds.
        free_bytes: says how much memory is free now.
    """

    def __init__(
        self, folder: Path, *, count: int, free_bytes: Callable[[], int] | None = None
    ) -> None:
        self._folder = folder
        self._free_bytes = free_bytes or _free_bytes
        #: One of those who wait here looks for a slot, the others wait for their turn: 64 that all
        #: look would keep a core busy.
        self._turn = anyio.Lock()
        self.count = count or _by_memory(psutil.virtual_memory().total)

    @asynccontextmanager
    async def taken(
        self, cancelled: anyio.Event, *, is_waiting: bool = True
    ) -> AsyncGenerator[Slot | None]:
        """Wait for a free slot and hold it; give nothing when *cancelled* is set before.

        Who is not waiting is given nothing when none is free.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        held = await self._waited(cancelled) if is_waiting else self._take()
        if held is None:
            yield None
            return
        slot, lock = held
        try:
            yield slot
        finally:
            lock.release()

    async def _waited(self, cancelled: anyio.Event) -> tuple[Slot, FileLock] | None:
        if cancelled.is_set():
            return None
        held: tuple[Slot, FileLock] | None = None
        async with anyio.create_task_group() as group:

            async def obey() -> None:
                await cancelled.wait()
                group.cancel_scope.cancel()

            group.start_soon(obey)
            async with self._turn:
                while (held := self._take()) is None:  # noqa: ASYNC110
                    await anyio.sleep(POLL_S)  # other processes hold slots, too
            group.cancel_scope.cancel()
        return held

    def _take(self) -> tuple[Slot, FileLock] | None:
        is_tight = self._free_bytes() < KIMI_BYTES
        for number in range(self.count):
            lock = FileLock(self._folder / f"{number}.lock", timeout=0, mode=0o600)
            try:
                lock.acquire()
            except Timeout:
                if is_tight:  # another task works: it will give memory back
                    return None
                continue
            return Slot(number), lock
        return None


def _free_bytes() -> int:
    return psutil.virtual_memory().available


def _by_memory(total_bytes: int) -> int:
    return max(1, min(MOST_SLOTS, total_bytes // 2 // KIMI_BYTES))
