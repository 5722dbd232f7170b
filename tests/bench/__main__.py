"""`python -m tests.bench`: measure what the contract bounds, and print a table.

Every figure is a ratio within one run: ours and its yardstick in turn, on the same machine in the
same minutes. Needs what the tests need: Node of the `kimi` extra, and the real Kimi Code.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from kimi_mcp.kimi.install import install_kimi_code
from tests.bench import (
    against,
    calls,
    cluster,
    cold,
    disk,
    fence,
    giants,
    history,
    hook,
    lag,
    memory,
    parallel,
    plans,
    spawn,
    start,
    steady,
    task,
)
from tests.bench.ground import guard
from tests.bench.table import HEADINGS, Row, table

KIMI_CACHE = Path(__file__).resolve().parents[2] / ".cache/kimi"  # the tests' own
#: How each figure is measured, and whether the real Kimi Code is needed.
FIGURES: Mapping[str, tuple[Callable[..., list[Row]], bool]] = {
    "start": (start.rows, True),
    "cold": (cold.rows, True),
    "calls": (calls.rows, False),
    "task": (task.rows, True),
    "spawn": (spawn.rows, False),
    "lag": (lag.rows, True),
    "disk": (disk.rows, False),
    "memory": (memory.rows, True),
    "steady": (steady.rows, False),
    "fence": (fence.rows, True),
    "plans": (plans.rows, False),
    "parallel": (parallel.rows, True),
    "hook": (hook.rows, True),
    "history": (history.rows, True),
    "giants": (giants.rows, False),
    "cluster": (cluster.rows, False),
}


def main() -> None:
    """Measure the figures asked for, each on a ground of its own."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--only", nargs="*", metavar="FIGURE", choices=FIGURES, help=f"of: {' '.join(FIGURES)}"
    )
    parser.add_argument(
        "--against", type=Path, metavar="PATH", help="another checkout, with its own .venv"
    )
    parser.add_argument("--json", action="store_true", help="what was measured, for a program")
    wanted = parser.parse_args()
    names = wanted.only or FIGURES
    if wanted.against is None:
        rows = _measured(names, rounds=wanted.rounds)
        headings = HEADINGS
    else:
        rows = against.compared(wanted.against, names, rounds=wanted.rounds, say=_say)
        headings = (HEADINGS[0], "here", "there", *HEADINGS[3:])
    if wanted.json:
        sys.stdout.write(against.plain(rows))
        return
    load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    told = f"Median (minimum) of {wanted.rounds} rounds; {load}."
    sys.stdout.write(f"{table(rows, headings)}\n\n{told}\n")


def _measured(names: Collection[str], *, rounds: int) -> list[Row]:
    rows: list[Row] = []
    is_needed = any(FIGURES[name][1] for name in names)
    kimi = install_kimi_code(KIMI_CACHE, say=_say) if is_needed else None
    with tempfile.TemporaryDirectory(prefix="kimi-mcp-bench-") as scratch:
        guard(Path(scratch, "home"))
        for name in names:
            _say(f"measuring: {name}")
            measure, needs_kimi = FIGURES[name]
            given = {"kimi": kimi} if needs_kimi else {}
            rows += measure(Path(scratch, name), rounds=rounds, **given)
    return rows


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    main()
