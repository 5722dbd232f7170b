"""When the server ends: with its client, and at once.

Nothing lives in this process that its end could lose: units of work on the history are whole or
not there, and runners are in sessions of their own. Claude Code 2.1.330 sends SIGINT, after 100 ms
SIGTERM and after 500 ms SIGKILL, to its direct child only, or just closes the pipe.
"""

import os
import signal

from kimi_mcp.pulse import beat

LOOK_S = 1.0


def end_at_once() -> None:
    """Let an interrupt end the process; the SDK would first wait for another line of input."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


async def end_with_the_client() -> None:
    """End when whoever started us has died; others may still hold the other end of the pipe."""
    parent = os.getppid()
    while os.getppid() == parent:  # nobody tells of it
        await beat(LOOK_S)
    signal.raise_signal(signal.SIGTERM)
