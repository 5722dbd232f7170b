"""The benchmarks work: their arithmetic, and one figure measured for real."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench import calls, cluster, giants, history, steady
from tests.bench.ground import guard
from tests.bench.pairing import interleave, percentile
from tests.bench.table import Aim, Row, table

BENCH = (sys.executable, "-m", "tests.bench", "--rounds", "1")
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


@pytest.fixture
def ground(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine for figures, whose variables are put back afterwards."""
    for name in [*os.environ]:
        monkeypatch.setenv(name, os.environ[name])
    guard(tmp_path / "bench-home")
    return tmp_path / "figures"


def test_every_figure_that_needs_no_kimi_is_measured_at_a_small_size(ground: Path) -> None:
    found = {
        row.figure: row
        for row in (
            *steady.rows(
                ground / "steady", rounds=1, window_s=0.1, settled_s=0, quiet_s=0, several=2
            ),
            *giants.rows(ground / "giants", rounds=1, files=50, history_bytes=10**6),
            *history.rows(ground / "history", kimi=Path("/bin/true"), rounds=1, sizes=(5, 10)),
            *calls.rows(ground / "calls", rounds=1),
        )
    }

    assert [figure[0] for figure in found] == [*"llllkkkk", *"j" * 18, *"mm"]
    assert all(len(row.ours) == 1 for row in found.values())
    stored = [row for figure, row in found.items() if "objects stored" in figure]
    assert [row.is_met for row in stored] == [True, True]


def test_a_node_is_sent_no_more_than_the_bases_files(ground: Path) -> None:
    row = cluster.sent(ground, size_bytes=10**6)

    assert row.ours[0] > 0
    assert row.is_met


def test_two_checkouts_are_measured_in_turn(tmp_path: Path) -> None:
    (tmp_path / ".venv").symlink_to(Path(sys.executable).parents[1])

    done = subprocess.run(
        [*BENCH, "--only", "calls", "--against", tmp_path],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [cell.strip() for cell in lines[0].split("|")[1:4]] == ["figure", "here", "there"]
    assert [line.split("|")[1].strip() for line in lines[2:4]] == [
        "m tools/list",
        "m plan_to_spec, two tasks",
    ]


@pytest.mark.usefixtures("kimi_main")
def test_the_command_measures_and_prints_a_table() -> None:
    done = subprocess.run(
        [*BENCH, "--only", "start"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "| a start of the server / of an empty one |" in done.stdout
