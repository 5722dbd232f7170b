"""The benchmarks work: their arithmetic, and one figure measured for real."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.pairing import interleave, percentile
from tests.bench.table import Aim, Row, table

ROOT = Path(__file__).parents[2]


def test_contestants_take_turns_after_a_round_that_is_not_counted() -> None:
    order: list[str] = []

    def contestant(name: str) -> int:
        order.append(name)
        return len(order)

    shown = interleave([lambda: contestant("a"), lambda: contestant("b")], rounds=2)

    assert order == ["a", "b"] * 3
    assert shown == [[3, 5], [4, 6]]


def test_ratio_and_difference_are_taken_round_by_round() -> None:
    row = Row(
        figure="x", unit="ms", ours=[30, 100, 20], yardstick=[10, 50, 10], aim=Aim("ratio", 2)
    )

    assert (row.ratio, row.difference, row.is_met) == (2, 20, True)
    cells = [cell.strip() for cell in table([row]).splitlines()[2].split("|")]
    assert cells[1:-1] == [
        "x",
        "30 (20) ms",
        "10 (10) ms",
        "2.00 (2.00)",
        "20 (10) ms",
        "ratio ≤ 2.00: met",
    ]


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([3, 1, 2], 99) == 3
    assert percentile(range(1, 101), 99) == 99
    assert percentile([7], 50) == 7


@pytest.mark.usefixtures("kimi_main")
def test_the_command_measures_and_prints_a_table() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", "--rounds", "1", "--only", "start"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "| a start of the server / of an empty one |" in done.stdout
