"""`python -m tests.bench`: measure what Done-when 7 of the first stage bounds, and print a table.

Every figure is a ratio within one run: ours and its yardstick in turn, on the same machine in the
same minutes. Needs what the tests need: Node of the `kimi` extra, and the real Kimi Code.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from kimi_mcp.kimi.install import install_kimi_code
from tests.bench import lag, memory, spawn, start, task
from tests.bench.ground import guard
from tests.bench.table import Row, table

KIMI_CACHE = Path(__file__).parents[2] / ".cache/kimi"  # the tests' own


def main() -> None:
    """Measure the figures asked for, each on a ground of its own."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--only", nargs="*", metavar="FIGURE", help="of: start task spawn lag memory"
    )
    wanted = parser.parse_args()
    kimi = install_kimi_code(KIMI_CACHE, say=_say)
    figures: Mapping[str, Callable[..., list[Row]]] = {
        "start": partial(start.rows, kimi=kimi),
        "task": partial(task.rows, kimi=kimi),
        "spawn": spawn.rows,
        "lag": partial(lag.rows, kimi=kimi),
        "memory": partial(memory.rows, kimi=kimi),
    }
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="kimi-mcp-bench-") as scratch:
        guard(Path(scratch, "home"))
        for name in wanted.only or figures:
            _say(f"measuring: {name}")
            rows += figures[name](Path(scratch, name), rounds=wanted.rounds)
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    sys.stdout.write(f"{table(rows)}\n\nMedian (minimum) of {wanted.rounds} rounds; {load}.\n")


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main()
