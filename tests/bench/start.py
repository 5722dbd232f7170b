"""(a) How long a server takes from its start until it has listed its tools.

Ours beside an empty `MCPServer` of the same Python: the ratio is what our own imports add.
"""

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.bench.ground import EMPTY, OURS, settle
from tests.bench.pairing import interleave
from tests.bench.table import Aim, Row
from tests.bench.wire import connected


def rows(scratch: Path, *, kimi: Path, rounds: int) -> list[Row]:
    """Measure process start to the answer of `tools/list`, in milliseconds."""
    settle(scratch, kimi=kimi)
    ours, empty = interleave(
        [partial(_started, argv, cwd=scratch) for argv in (OURS, EMPTY)], rounds=rounds
    )
    return [
        Row(
            figure="a start of the server / of an empty one",
            unit="ms",
            ours=ours,
            yardstick=empty,
            aim=Aim("ratio", 1.15),
        )
    ]


def _started(argv: Sequence[str], *, cwd: Path) -> float:
    begun_at = time.perf_counter()
    with connected(argv, cwd=cwd) as server:
        server.tools()
        return (time.perf_counter() - begun_at) * 1000
