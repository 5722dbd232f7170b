"""Waiting in step: what polls in a process wakes it together with whatever else polls there.

On an idle machine the waking of a process costs more than what it wakes for (2 to 3 ms of a large
one on a virtual machine, where the work takes 0.2 ms).
"""

import anyio


async def beat(every_s: float) -> None:
    """Wait for the next multiple of *every_s* on the clock that all of the process share."""
    now = anyio.current_time()
    await anyio.sleep(every_s - now % every_s)
