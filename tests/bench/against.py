"""The same figures of two checkouts, in turn on the same machine.

The benchmarks are this checkout's, the product is that of each side's own environment
(`.venv/bin/python` of the checkout), so both are measured in the same way.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from tests.bench.table import Row

TURNS = 2
Say = Callable[[str], None]


def compared(other: Path, figures: Iterable[str], *, rounds: int, say: Say) -> list[Row]:
    """Measure *figures* here and there in turn; a row's yardstick is the other checkout's value.

    What cannot be measured on one side has no row; the reason is said.
    """
    sides = [Path(sys.executable), other.absolute() / ".venv/bin/python"]
    if not sides[1].exists():
        raise SystemExit(
            f"{other} has no .venv with the project in it; make one as its README says."
        )
    found: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="kimi-mcp-against-") as scratch:
        # nothing but the benchmarks of this checkout, so that each side finds its own product
        Path(scratch, "tests").symlink_to(Path(__file__).resolve().parents[1])
        for name in figures:
            shown: list[dict[str, list[float]]] = [defaultdict(list), defaultdict(list)]
            units: dict[str, Any] = {}
            for python, values in [*zip(sides, shown, strict=True)] * TURNS:
                say(f"measuring: {name} with {python}")
                for row in _measured(python, name, rounds=rounds, path=scratch, say=say):
                    values[row["figure"]] += row["ours"]
                    units[row["figure"]] = row["unit"]
            found += _rows(shown[0], shown[1], units)
    return found


def plain(rows: Sequence[Row]) -> str:
    """Write rows for another process to read."""
    return json.dumps(
        [{"figure": row.figure, "unit": row.unit, "ours": [*row.ours]} for row in rows]
    )


def _rows(
    here: dict[str, list[float]], there: dict[str, list[float]], units: dict[str, Any]
) -> list[Row]:
    return [
        Row(
            figure=figure.partition(" / ")[0],
            unit=units[figure],
            ours=values[: len(there[figure])],
            yardstick=there[figure][: len(values)],
        )
        for figure, values in here.items()
        if there.get(figure)
    ]


def _measured(python: Path, name: str, *, rounds: int, path: str, say: Say) -> list[dict[str, Any]]:
    done = subprocess.run(
        [python, "-P", "-m", "tests.bench", "--json", "--rounds", str(rounds), "--only", name],
        env={**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        say(f"{name} cannot be measured with {python}: {done.stderr.strip().splitlines()[-1]}")
        return []
    return json.loads(done.stdout)
