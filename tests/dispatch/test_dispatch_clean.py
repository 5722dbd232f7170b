"""Housekeeping: what is provably not needed goes, and nothing else does."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from filelock import FileLock

from dispatching import branches, carried_out, configure, pinned, spec_of
from harvest import Harvest, Work, harvested
from kimi_mcp.demo.script import say, write
from kimi_mcp.dispatch.housekeeping.clean import Piece, clean
from kimi_mcp.dispatch.housekeeping.sweep import Worth, remove_clones, sweep
from kimi_mcp.dispatch.landing.land import LandWish, land
from kimi_mcp.history.landings import How
from kimi_mcp.lifecycle import Outcome
from living import until
from sandbox import Sandbox, StartModel

ONE = Work(files={"one.py": "1\n"})
TWO = Work(files={"two.py": "2\n"})
FAILED = Work(files={"bad.py": "x\n"}, outcome=Outcome.CHECKS_FAILED)
NOTHING = Work(outcome=Outcome.NO_CHANGE)


def cleaned(harvest: Harvest, *, is_dry_run: bool = False) -> dict[str, tuple[Worth, bool]]:
    pieces = clean(harvest.bench, is_dry_run=is_dry_run)
    return {short(piece): (piece.worth, piece.is_removed) for piece in pieces}


def short(piece: Piece) -> str:
    return piece.kind if piece.kind == "clones" else piece.name.rsplit("/", 1)[1]


def later(harvest: Harvest, *, days: float) -> Harvest:
    now = datetime.now(UTC) + timedelta(days=days)
    return replace(harvest, bench=replace(harvest.bench, now=lambda: now))


def swept(harvest: Harvest, *, days: float) -> None:
    """Do what a runner does at its end, so many days later."""
    bench = later(harvest, days=days).bench
    sweep(bench.history, bench.state, now=bench.now(), days=14)


def clones(harvest: Harvest) -> Path:
    return harvest.bench.state.run(harvest.id).root


def move_on(sandbox: Sandbox) -> None:
    """Commit something, so that a cherry-pick is not the very same commit."""
    sandbox.write("other.py", "other\n")
    sandbox.commit("Other")


def test_work_that_is_nowhere_else_stays(sandbox: Sandbox):
    harvest = harvested(sandbox, ONE, FAILED)
    before = [branches(sandbox), pinned(sandbox)]

    found = cleaned(later(harvest, days=13))

    assert found == {
        "merged": (Worth.UNIQUE, False),
        "task-1": (Worth.UNIQUE, False),
        "task-1.a1": (Worth.UNIQUE, False),
        "task-2.a1": (Worth.UNIQUE, False),
        "clones": (Worth.EMPTY, False),
    }
    assert [branches(sandbox), pinned(sandbox)] == before
    assert clones(harvest).is_dir()


def test_clones_go_after_the_days_that_the_user_set_and_the_refs_stay(sandbox: Sandbox):
    harvest = harvested(sandbox, ONE)
    before = [branches(sandbox), pinned(sandbox)]

    found = cleaned(later(harvest, days=15))

    assert found["clones"] == (Worth.EMPTY, True)
    assert not clones(harvest).exists()
    assert [branches(sandbox), pinned(sandbox)] == before
    sandbox.git("gc", "--quiet", "--prune=now")
    assert sandbox.show(harvest.branch(), "one.py") == "1"


@pytest.mark.parametrize("way", ["commit", "merge", "cherry-pick"])
def test_what_the_user_landed_by_hand_is_recognised(sandbox: Sandbox, way: str):
    harvest = harvested(sandbox, ONE, TWO)
    move_on(sandbox)
    if way == "commit":
        land(harvest.bench, harvest.id, LandWish(how=How.APPLY))
        sandbox.commit("Mine, with more")
        sandbox.write("one.py.md", "about it\n")
        sandbox.commit("More")
    elif way == "merge":
        sandbox.git("merge", "-q", "--no-edit", harvest.branch())
    else:
        sandbox.git("cherry-pick", harvest.commits[1], harvest.commits[2])

    found = cleaned(harvest)

    assert set(found.values()) == {(Worth.LANDED, True)}
    assert [*branches(sandbox), *pinned(sandbox)] == []
    assert not clones(harvest).exists()


def test_one_landed_task_goes_alone(sandbox: Sandbox):
    harvest = harvested(sandbox, ONE, TWO)
    move_on(sandbox)
    sandbox.git("cherry-pick", harvest.commits[1])

    found = cleaned(harvest)

    assert found["task-1"] == found["task-1.a1"] == (Worth.LANDED, True)
    assert found["task-2"] == found["merged"] == (Worth.UNIQUE, False)
    assert f"refs/kimi/{harvest.id}/base" in pinned(sandbox)
    assert clones(harvest).is_dir()


def test_work_that_was_reverted_is_unique_again(sandbox: Sandbox):
    harvest = harvested(sandbox, ONE)
    move_on(sandbox)
    sandbox.git("cherry-pick", harvest.commits[1])
    sandbox.git("revert", "--no-edit", "HEAD")

    assert cleaned(harvest)["task-1"] == (Worth.UNIQUE, False)


def test_a_dry_run_tells_the_same_and_removes_nothing(sandbox: Sandbox):
    harvest = harvested(sandbox, ONE)
    sandbox.git("merge", "-q", "--no-edit", harvest.branch())
    before = [branches(sandbox), pinned(sandbox)]

    told = cleaned(harvest, is_dry_run=True)

    assert [branches(sandbox), pinned(sandbox)] == before
    assert clones(harvest).is_dir()
    assert cleaned(harvest) == told


def test_what_is_checked_out_or_was_moved_by_somebody_stays(sandbox: Sandbox):
    harvest = harvested(sandbox, ONE, TWO)
    sandbox.git("merge", "-q", "--no-edit", harvest.branch())
    sandbox.git("branch", "-q", "-f", harvest.branch(2), "HEAD")
    sandbox.git("branch", f"kimi/{harvest.id}/mine")
    sandbox.git("checkout", "-q", harvest.branch(1))

    found = cleaned(harvest)

    assert found["task-2"] == found["mine"] == (Worth.FOREIGN, False)
    assert found["task-1"] == (Worth.LANDED, False)
    assert found["merged"] == (Worth.LANDED, True)
    assert branches(sandbox) == [f"kimi/{harvest.id}/mine", harvest.branch(1), harvest.branch(2)]


def test_a_dispatch_without_any_change_leaves_nothing(sandbox: Sandbox):
    harvest = harvested(sandbox, NOTHING)

    assert cleaned(harvest)["clones"] == (Worth.EMPTY, False)
    cleaned(later(harvest, days=15))

    assert pinned(sandbox) == []
    assert not clones(harvest).exists()


def test_clones_whose_work_was_never_committed_stay_however_old(sandbox: Sandbox):
    harvest = harvested(sandbox, Work(outcome=Outcome.CRASHED, is_committed=False))

    assert cleaned(later(harvest, days=999))["clones"] == (Worth.UNIQUE, False)
    swept(harvest, days=999)

    assert clones(harvest).is_dir()


def test_a_dispatch_that_somebody_takes_up_is_left_alone(sandbox: Sandbox):
    harvest = harvested(sandbox, ONE)

    with FileLock(harvest.bench.state.run(harvest.id).lifeline):
        assert cleaned(later(harvest, days=15))["clones"] == (Worth.EMPTY, False)

    assert clones(harvest).is_dir()


def test_a_dispatch_that_was_queued_again_keeps_its_clones(sandbox: Sandbox):
    harvest = harvested(sandbox, ONE)
    history = harvest.bench.history
    seen = history.dispatch(harvest.id)
    history.reopen(harvest.id, errand={}, tasks=[1], amendments={}, at=harvest.bench.stamp())

    assert not remove_clones(history, seen, harvest.bench.state.run(harvest.id))
    assert clones(harvest).is_dir()


def test_folders_that_the_history_does_not_know_are_told_and_stay(sandbox: Sandbox):
    harvest = harvested(sandbox, ONE)
    strange = harvest.bench.state.root / "runs" / "strange"
    strange.mkdir()
    (strange / "file").write_bytes(b"x" * 10_000)

    piece = clean(harvest.bench, is_dry_run=False)[-1]

    assert (piece.name, piece.worth, piece.is_removed) == (str(strange), Worth.FOREIGN, False)
    assert (piece.size_bytes or 0) >= 10_000
    assert strange.is_dir()


def test_a_repository_that_is_gone_leaves_its_clones_to_the_days(sandbox: Sandbox):
    harvest = harvested(sandbox, ONE)
    sandbox.root.rename(sandbox.root.with_name("moved"))

    assert cleaned(harvest) == {"clones": (Worth.EMPTY, False)}
    assert cleaned(later(harvest, days=15)) == {"clones": (Worth.EMPTY, True)}


def test_write_protected_caches_in_clones_go_too(sandbox: Sandbox):
    harvest = harvested(sandbox, ONE)
    cache = clones(harvest) / "task-1" / "worker" / "go" / "mod"
    cache.mkdir(parents=True)
    (cache / "file").write_text("x", encoding="utf-8")
    cache.chmod(0o555)

    cleaned(later(harvest, days=15))

    assert not clones(harvest).exists()


def test_a_link_in_a_clone_is_never_followed(sandbox: Sandbox, tmp_path: Path):
    harvest = harvested(sandbox, ONE)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "kept").write_text("x", encoding="utf-8")
    mine.chmod(0o750)
    (clones(harvest) / "task-1" / "clone" / "link").symlink_to(mine)

    cleaned(later(harvest, days=15))

    assert (mine / "kept").is_file()
    assert oct(mine.stat().st_mode & 0o777) == oct(0o750)


def test_the_sweep_removes_only_old_clones(sandbox: Sandbox):
    harvest = harvested(sandbox, ONE)
    swept(harvest, days=13)
    assert clones(harvest).is_dir()

    swept(harvest, days=15)

    assert not clones(harvest).exists()
    assert branches(sandbox) == [harvest.branch(), harvest.branch(1)]


async def test_a_runner_sweeps_at_its_end(sandbox: Sandbox, start_model: StartModel):
    start_model({"": (write("one.txt", "hello\n"), say("done"))})
    configure("[keep]\nclones_days = 1\n")
    old, young = harvested(sandbox, ONE), harvested(sandbox, TWO, token="aaaa")
    with closing(sqlite3.connect(old.bench.history.path)) as connection, connection:
        connection.execute(
            "UPDATE dispatches SET ended_at = '2026-01-01T00:00:00.000Z' WHERE id = ?", [old.id]
        )

    await carried_out(sandbox, spec_of("One\nFiles:\n- CREATE one.txt\n"))

    await until(lambda: not clones(old).exists())
    assert clones(young).is_dir()
