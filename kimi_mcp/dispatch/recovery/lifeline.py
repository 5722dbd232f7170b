"""The lock that says that somebody works on a dispatch: its runner, or who puts right what it left.

The kernel drops the lock with the last process that holds it, so it can never be a stale word, and
no clock is asked. A starter takes it before the rows say that anything is queued and hands it to
the runner, which inherits it: there is no moment at which a dispatch lives and nobody holds it.
"""

import os
import time
from collections.abc import Generator
from contextlib import contextmanager

from kimi_mcp import flock
from kimi_mcp.state import RunFolder

POLL_S = 0.01


@contextmanager
def held(run: RunFolder, *, wait_s: float = 0.0) -> Generator[int | None]:
    """Hold the lifeline of a dispatch, whose folder exists; yield its descriptor.

    Nothing is yielded when somebody else holds it for longer than *wait_s*, or the folder is gone.
    """
    deadline = time.monotonic() + wait_s
    while (taken := flock.take(run.lifeline)) is None and time.monotonic() < deadline:
        time.sleep(POLL_S)
    try:
        yield taken
    finally:
        if taken is not None:
            os.close(taken)


def is_held(run: RunFolder) -> bool:
    """Tell whether somebody works on this dispatch."""
    if not run.lifeline.exists():
        return False
    with held(run) as mine:
        return mine is None and run.lifeline.exists()
