"""Fulfilling wishes to cancel, inside the runner: they are written into the history by others."""

from collections.abc import Mapping

import anyio

from kimi_mcp.history.follower import Follower
from kimi_mcp.history.history import History
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.pulse import beat

POLL_S = 0.7  # a multiple of those of Kimi's journal, or the other way round


async def obey_cancels(
    history: History,
    dispatch: DispatchId,
    follower: Follower,
    *,
    whole: anyio.Event,
    tasks: Mapping[int, anyio.Event],
) -> None:
    """Set *whole* and the events of *tasks* as somebody wishes, for ever."""
    while True:
        await beat(POLL_S)
        if not follower.changed():
            continue
        wishes = await anyio.to_thread.run_sync(history.cancel_requests, dispatch)
        if wishes.is_whole_dispatch:
            whole.set()
        for number, event in tasks.items():
            if wishes.is_whole_dispatch or number in wishes.tasks:
                event.set()
