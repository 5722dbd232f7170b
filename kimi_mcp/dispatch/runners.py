"""The process that runners are forked from.

It loads all that a runner needs, once, and forks one when it is asked to: that takes milliseconds
where loading takes as long as looking at the spec does. It lives as long as its caller; the runners
do not depend on it. A server keeps one from its first plan or dispatch on, a command line for the
one call.
"""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress

from kimi_mcp.errors import Unready
from kimi_mcp.processes.environment import passed_on
from kimi_mcp.state import StateFolder

KIMI_PREFIX = "KIMI_"  # Kimi's own variables and ours; everything else needs the allow list
RUNNER = "kimi_mcp.dispatch.running.runner"


class Runners:
    """Starts runners, with the environment and the state folder of one caller."""

    def __init__(self, state: StateFolder, environ: Mapping[str, str]) -> None:
        self._state = state
        self._environ = environ
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._lock = threading.Lock()

    def warm(self) -> None:
        """Start loading, unless that has been done.

        Raises:
            Unready: it cannot be started.
        """
        with self._lock:
            self._warm()

    @contextmanager
    def started(self) -> Generator[socket.socket]:
        """Have a runner forked; give the socket over which it is told its dispatch.

        The socket ends when the runner has claimed that, or is gone; and a runner whose socket is
        closed before it was told anything ends.

        Raises:
            Unready: the process that forks it cannot be started.
        """
        orders, theirs = socket.socketpair()
        with orders:
            with theirs, self._lock:
                self._warm()
                assert self._control is not None  # noqa: S101  it is warm
                with suppress(OSError):  # it has just ended: so has the socket then
                    socket.send_fds(self._control, [b"."], [theirs.fileno()])
            yield orders

    def last_words(self) -> bytes:
        """Return what was complained of before any runner had a log."""
        if self._process is None or self._process.stderr is None:
            return b""
        os.set_blocking(self._process.stderr.fileno(), False)
        return self._process.stderr.read() or b""

    def close(self) -> None:
        """End it, even one that is suspended; runners go on."""
        with self._lock:
            self._close()

    def _warm(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        self._close()
        kimis = {n: value for n, value in self._environ.items() if n.startswith(KIMI_PREFIX)}
        home = {"KIMI_MCP_HOME": str(self._state.root)}
        self._control, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    # -P: a repository's own sqlite3.py must not become part of the runner
                    [sys.executable, "-P", "-m", RUNNER, str(theirs.fileno())],
                    pass_fds=(theirs.fileno(),),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    cwd=self._state.root,
                    env={**passed_on(self._environ), **kimis, **home},
                    start_new_session=True,
                )
            except OSError as error:
                raise Unready(f"No runner can be started: {error}. Correct that.") from error

    def _close(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            # nobody may wait for it, but a child that ended must not stay a zombie of a server
            self._process.kill()
            reap = self._process.communicate
            threading.Thread(target=reap, daemon=True, name="reaper").start()
        self._process = self._control = None


@contextmanager
def runners_of_a_call(state: StateFolder, environ: Mapping[str, str]) -> Generator[Runners]:
    """Have runners for as long as the block takes."""
    runners = Runners(state, environ)
    try:
        yield runners
    finally:
        runners.close()
