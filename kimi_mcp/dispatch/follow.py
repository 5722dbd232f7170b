"""Following a dispatch from outside its runner.

SQLite is the only channel. Asking it whether anybody wrote costs microseconds, so news is at most a
poll old; a runner that died is noticed by its free lifeline.
"""

from collections.abc import AsyncGenerator

import anyio

from kimi_mcp.dispatch.recovery.reconcile import reconcile
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.records import Event

POLL_S = 0.04
PULSE_S = 2.0  # without news, how often the runner's life is looked at
PAGE = 200


async def follow(
    bench: Workbench, dispatch: DispatchId, *, after: int = 0
) -> AsyncGenerator[Event]:
    """Yield the events after number *after* as they come, until the dispatch is over.

    Leaving early changes nothing for the dispatch. Close it (`contextlib.aclosing`) when leaving.
    """
    with await anyio.to_thread.run_sync(bench.history.follow, dispatch) as follower:
        heard_at = anyio.current_time()
        while True:
            if follower.changed():
                heard_at = anyio.current_time()
                # the state first: what is written before the last state is then among the events
                state = (await anyio.to_thread.run_sync(bench.history.dispatch, dispatch)).state
                while events := follower.events(after=after, limit=PAGE):
                    for event in events:
                        after = event.number
                        yield event
                if state.is_terminal:
                    return
            elif anyio.current_time() - heard_at > PULSE_S:
                heard_at = anyio.current_time()
                await anyio.to_thread.run_sync(reconcile, bench)
            await anyio.sleep(POLL_S)
