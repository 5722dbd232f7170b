"""(g) How long a cold server keeps a client waiting on a busy machine.

Claude Code 2.1.330 gives the first `server/discover` three seconds; after that the session goes on
in the old protocol, without tasks. Cold: nothing of the server is compiled, as after an update or
where no cache may be written. Busy: two processes that do nothing but compute.
"""

import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.bench.ground import EMPTY, OURS, settle
from tests.bench.pairing import interleave
from tests.bench.table import Aim, Row
from tests.bench.wire import connected

BUSY = 2
SPIN = (sys.executable, "-c", "while True: pass")


def rows(scratch: Path, *, kimi: Path, rounds: int) -> list[Row]:
    """Measure process start to the answer of `server/discover`, in milliseconds."""
    settle(scratch, kimi=kimi)
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    os.environ["PYTHONPYCACHEPREFIX"] = str(scratch / "no-such-cache")
    try:
        with _busy():
            ours, empty = interleave(
                [lambda: _discovered(OURS, scratch), lambda: _discovered(EMPTY, scratch)],
                rounds=rounds,
            )
    finally:
        del os.environ["PYTHONDONTWRITEBYTECODE"], os.environ["PYTHONPYCACHEPREFIX"]
    return [
        Row(
            figure="a first answer, uncompiled, two cores busy",
            unit="ms",
            ours=ours,
            yardstick=empty,
            aim=Aim("ours", 2000),
        )
    ]


def _discovered(argv: tuple[str, ...], cwd: Path) -> float:
    begun_at = time.perf_counter()
    with connected(argv, cwd=cwd) as server:
        server.ask("server/discover")
        return (time.perf_counter() - begun_at) * 1000


@contextmanager
def _busy() -> Generator[None]:
    with ExitStack() as stack:
        for _ in range(BUSY):
            spinning = stack.enter_context(subprocess.Popen(SPIN))
            stack.callback(spinning.kill)
        yield
