"""How much of the past stays whole: by age, by size, and never what is still to be judged."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from dispatching import bench_of, carried_out, configure, spec_of
from kimi_mcp.demo.script import say, write
from kimi_mcp.dispatch.housekeeping.clean import tidy_history
from kimi_mcp.dispatch.housekeeping.retention import retain
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.review.showing import show
from kimi_mcp.review.view import View
from living import until
from long_history import FIRST, lengthen
from sandbox import Sandbox, StartModel

DAY = timedelta(days=1)


@pytest.fixture
def bench(sandbox: Sandbox) -> Workbench:
    return bench_of(sandbox)


@pytest.fixture
def ids(bench: Workbench) -> list[str]:
    """Twenty dispatches, a day apart."""
    return lengthen(bench.history.path, dispatches=20, events=400, apart=DAY)


def condensed(bench: Workbench, ids: list[str]) -> list[int]:
    return [
        number
        for number, name in enumerate(ids)
        if bench.history.dispatch(DispatchId(name)).condensed_at is not None
    ]


def kept(bench: Workbench, *, days: int = 0, most_bytes: int = 0) -> None:
    """Do what a runner does at its end, three weeks after the first dispatch."""
    now = FIRST + 21 * DAY
    retain(bench.history, bench.state, now=now, days=days, most_bytes=most_bytes)


def test_steps_go_with_age(bench: Workbench, ids: list[str]) -> None:
    kept(bench, days=15)

    assert condensed(bench, ids) == [0, 1, 2, 3, 4, 5]


def test_the_oldest_steps_go_while_the_file_holds_too_much(
    bench: Workbench, ids: list[str]
) -> None:
    full = bench.history.used_bytes()

    kept(bench, most_bytes=full * 3 // 4)

    gone = condensed(bench, ids)
    assert gone == [*range(len(gone))]
    assert 4 < len(gone) < 12
    assert bench.history.used_bytes() <= full * 3 // 4


def test_without_bounds_and_within_them_nothing_goes(bench: Workbench, ids: list[str]) -> None:
    kept(bench)
    kept(bench, days=30, most_bytes=10**9)

    assert condensed(bench, ids) == []


def test_a_dispatch_whose_clones_are_there_keeps_its_steps(
    bench: Workbench, ids: list[str]
) -> None:
    bench.state.run(ids[0]).root.mkdir(parents=True)

    kept(bench, days=15, most_bytes=1)

    assert condensed(bench, ids) == [*range(1, 20)]


def test_what_is_shown_of_it_says_where_the_steps_went(bench: Workbench, ids: list[str]) -> None:
    summary = show(bench, DispatchId(ids[0]))
    kept(bench, days=15)

    assert show(bench, DispatchId(ids[0])) == summary
    transcript = show(bench, DispatchId(ids[0]), view=View.TRANSCRIPT)
    assert "Its steps went on 2025-01-22 (keep.history_days, keep.history_bytes)" in transcript
    assert "Its steps went" not in show(bench, DispatchId(ids[9]), view=View.TRANSCRIPT)


def test_cleaning_obeys_the_settings_and_makes_the_file_smaller(
    bench: Workbench, ids: list[str]
) -> None:
    size = bench.history.path.stat().st_size
    configure("[keep]\nhistory_bytes = 0\nhistory_days = 0\n")
    assert tidy_history(bench) == 0
    assert condensed(bench, ids) == []

    configure("[keep]\nhistory_days = 1\n")
    given_back = tidy_history(bench)

    assert condensed(bench, ids) == [*range(20)]
    assert bench.history.path.stat().st_size == size - given_back < size


def test_a_file_is_not_written_anew_while_something_is_live(
    bench: Workbench, ids: list[str]
) -> None:
    configure("[keep]\nhistory_days = 1\n")
    live = DispatchId(ids[0])
    bench.history.reopen(live, errand={}, tasks=(1,), amendments={}, at=bench.stamp())

    assert tidy_history(bench) == 0
    assert condensed(bench, ids) == [*range(1, 20)]


async def test_a_runner_does_so_at_its_end(sandbox: Sandbox, start_model: StartModel) -> None:
    start_model({"": (write("one.txt", "hello\n"), say("done"))})
    configure("[keep]\nhistory_days = 1\n")
    bench = bench_of(sandbox)
    ids = lengthen(Path(os.environ["KIMI_MCP_HOME"]) / "history.db", dispatches=3, events=9)

    done = await carried_out(sandbox, spec_of("One\nFiles:\n- CREATE one.txt\n"))

    await until(lambda: condensed(bench, ids) == [0, 1, 2])
    assert done.report.dispatch.condensed_at is None
