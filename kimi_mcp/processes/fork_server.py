"""The parent of the launchers: loads what each of them needs once, then forks one for each job.

`python -I fork_server.py CONTROL_FD`. A fork costs 2 ms where a start of Python costs 40; and what
was loaded stays as it was, whatever becomes of the package's files meanwhile.

Each request is one byte on the socket CONTROL_FD, with four descriptors: what becomes the
launcher's stdin, stdout and stderr, and its status. When the socket ends, so does this process. The
launchers do not depend on it.
"""

import contextlib
import gc
import os
import signal
import socket
import sys
import traceback

from kimi_mcp.processes import launcher

STREAMS = 3
DESCRIPTORS = STREAMS + 1


def main() -> None:
    """Fork launchers until nobody can ask for one any more."""
    control = socket.socket(fileno=int(sys.argv[1]))
    os.chdir("/")
    _preload()
    gc.freeze()  # a collection in a fork would copy every page
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # their own status tells how they end
    while True:
        request, descriptors, _, _ = socket.recv_fds(control, 1, DESCRIPTORS)
        if not request:
            return
        # no memory, no process: the status ends unspoken, which says it
        with contextlib.suppress(OSError):
            if os.fork() == 0:
                control.close()
                _become_launcher(descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def _preload() -> None:
    with contextlib.suppress(Exception):  # each fenced job tells it
        from kimi_mcp.processes import fence  # noqa: PLC0415  may be impossible here

        fence.preload()


def _become_launcher(descriptors: list[int]) -> None:
    code = 1
    try:
        os.setsid()
        for stream, descriptor in enumerate(descriptors[:STREAMS]):
            os.dup2(descriptor, stream)
            os.close(descriptor)
        launcher.launch(descriptors[STREAMS])
        code = 0
    except BaseException:  # noqa: BLE001  nothing may return into the server's loop
        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
