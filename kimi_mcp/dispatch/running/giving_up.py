"""Doing something until somebody cancels it."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

T = TypeVar("T")


async def unless(cancelled: anyio.Event, work: Callable[[], Awaitable[T]]) -> T | None:
    """Do *work*, but give it up when *cancelled* is set: nothing is returned then."""
    result: T | None = None

    async def give_up() -> None:
        await cancelled.wait()
        group.cancel_scope.cancel()

    async with anyio.create_task_group() as group:
        group.start_soon(give_up)
        result = await work()
        group.cancel_scope.cancel()
    return result
