"""Random dispatches in which something is killed, full, locked or late: nothing may be lost.

All 1,000: `FULL_CAMPAIGN=1 .venv/bin/pytest -n logical tests/campaign/test_campaign_crashes.py`
"""

import os
import random
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import anyio
import pytest
from crash_faults import (
    FULL_BYTES,
    Fault,
    Kind,
    drawn,
    lay,
    may_mount,
    mounted,
    strike,
    upgraded,
)
from crash_world import CrashWorld
from invariants import check_nothing_left, check_work
from recovering import check_all_done, is_over, judged, recovered, resumed
from user_state import fsck, user_state
from worlds import planned

from kimi_mcp.dispatch.admission import LaunchWish
from kimi_mcp.dispatch.housekeeping.clean import clean
from kimi_mcp.dispatch.landing.land import LandWish, land
from kimi_mcp.dispatch.launch import launch
from kimi_mcp.errors import KimiMcpError, Refused
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.landings import How
from kimi_mcp.lifecycle import TaskState
from living import until
from sandbox import Sandbox, StartModel
from serving import connected

KINDS = tuple(Kind)
FIRST = int(os.environ.get("CAMPAIGN_FIRST", "0"))
#: Each of them has found something that was mended since.
FAILED_ONCE = (0, 8, 11, 20, 21, 22, 25, 27, 28, 34, 35, 36, 37, 42, 50, 51, 193, 222, 400)
SEEDS = sorted(
    {*FAILED_ONCE, *range(FIRST, FIRST + (1_000 if "FULL_CAMPAIGN" in os.environ else 58))}
)
WEIGHTS = (80, 6, 4, 0, 0, 5, 5)  # no Kimi that fails for ever
SOUND = (1, 0, 0, 0, 0, 0, 0)
REAL_KINDS = (Kind.RUNNER, Kind.ALL, Kind.LAUNCHER, Kind.STOPPED, Kind.CLOCK)
REAL_SEEDS = range(50 if "FULL_CAMPAIGN" in os.environ else 2)


@pytest.fixture
def campaign(
    world: Sandbox, noticeboard: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Generator[Callable[[Kind], CrashWorld]]:
    """Make the machine that a fault of some kind is to strike in."""
    made: list[CrashWorld] = []
    monkeypatch.setenv("KIMI_MCP_LIMITS_GRACE_S", "1")
    monkeypatch.setenv("KIMI_MCP_LIMITS_FREE_BYTES", "0")
    monkeypatch.setenv("PATH", os.environ["PATH"])

    def make(kind: Kind) -> CrashWorld:
        one = CrashWorld(world, tmp_path, noticeboard, has_own_package=kind is Kind.UPGRADE)
        monkeypatch.setattr(sys, "executable", str(one.python.executable))
        made.append(one)
        return one

    yield make
    for one in made:
        for process in one.processes():
            with suppress(Exception):
                process.kill()


@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_is_killed_nothing_is_lost(
    campaign: Callable[[Kind], CrashWorld],
    tell_fault: Callable[[str, Path], None],
    tmp_path: Path,
    seed: int,
) -> None:
    rng = random.Random(f"crash {seed}")
    kind = KINDS[seed % len(KINDS)]
    if kind in {Kind.FULL, Kind.READ_ONLY} and not may_mount(tmp_path):
        kind = Kind.LOCKED  # the nearest to them that needs no rights
    with _disk(tmp_path, kind):
        world = campaign(kind)
        await _story(world, drawn(rng, kind), rng, tell_fault)


@pytest.mark.parametrize("seed", REAL_SEEDS)
async def test_nothing_is_lost_with_the_real_kimi_either(
    campaign: Callable[[Kind], CrashWorld],
    start_model: StartModel,
    tell_fault: Callable[[str, Path], None],
    seed: int,
) -> None:
    rng = random.Random(f"crash real {seed}")
    kind = REAL_KINDS[seed % len(REAL_KINDS)]
    world = campaign(kind)
    tasks = planned(rng, most=2, weights=SOUND, only=("create", "modify"))
    for task in tasks:
        task.acts = [*task.intended]
    world.model = start_model({f"({task.number})": world.script(task) for task in tasks})
    fault = Fault(kind=kind, where="runner", moment=rng.randint(1, 200), amount=rng.random())
    lay(world, fault, tasks)
    world.write_spec(tasks)
    await _carried_out(world, fault, rng, tell_fault)


@contextmanager
def _disk(folder: Path, kind: Kind) -> Generator[None]:
    if kind is not Kind.FULL:
        yield
        return
    state = folder / "state"
    state.mkdir(mode=0o700, exist_ok=True)
    with mounted("-t", "tmpfs", "-o", f"size={FULL_BYTES},mode=700", "tmpfs", str(state)):
        yield


async def _story(
    world: CrashWorld, fault: Fault, rng: random.Random, tell: Callable[[str, Path], None]
) -> None:
    """Dispatch, be struck, recover, resume, land, clean."""
    tasks = planned(rng, most=3, weights=WEIGHTS)
    lay(world, fault, tasks)
    world.specify(tasks)
    await _carried_out(world, fault, rng, tell)


async def _carried_out(
    world: CrashWorld, fault: Fault, rng: random.Random, tell: Callable[[str, Path], None]
) -> None:
    before = user_state(world.sandbox)

    dispatch = await _struck(world, fault)
    tell(fault.kind, world.struck)
    await recovered(world, dispatch)
    await judged(world, dispatch)
    assert user_state(world.sandbox) == before

    await resumed(world, dispatch)
    await judged(world, dispatch)
    check_all_done(world, dispatch)
    assert user_state(world.sandbox) == before

    how = How(rng.choice(["apply", "squash", "merge", "discard"]))
    await _landed(world, dispatch, how, rng)
    await _cleaned(world, dispatch, rng)
    assert fsck(world.sandbox) == ""
    check_nothing_left(world)


async def _struck(world: CrashWorld, fault: Fault) -> DispatchId:
    """Start the dispatch, and let the fault strike when its moment comes."""
    (world.board / "armed").touch()
    async with anyio.create_task_group() as group:
        launched = anyio.Event()

        async def start() -> None:
            if fault.is_served:
                await _served(world)
            elif fault.where == "command":
                await _commanded(world, "dispatch", "1", "--background")
            else:
                with suppress(KimiMcpError):
                    await anyio.to_thread.run_sync(launch, world.bench, LaunchWish(spec="1"))
            launched.set()

        group.start_soon(start)
        await until(lambda: world.has_struck() or (launched.is_set() and is_over(world)))
        if world.has_struck() and fault.is_hold:
            await strike(world, fault)
    upgraded(world)
    (world.board / "armed").unlink()
    world.python.leave_alone()
    found = world.bench.history.recent(limit=2)
    if not found:
        return (await anyio.to_thread.run_sync(launch, world.bench, LaunchWish(spec="1"))).dispatch
    return found[0].id


async def _landed(world: CrashWorld, dispatch: DispatchId, how: How, rng: random.Random) -> None:
    """Land, perhaps with a kill in the middle, after which the next look puts all right."""
    before = user_state(world.sandbox)
    head = world.sandbox.git("rev-parse", "HEAD")
    is_struck = rng.random() < 0.5
    if is_struck:
        world.struck.unlink(missing_ok=True)
        world.sabotage("command", rng.randint(4, 90), "kill")
        await _commanded(world, "land", dispatch, how)
        world.python.leave_alone()
        await recovered(world, dispatch)
        after = user_state(world.sandbox)
        if world.sandbox.git("rev-parse", "HEAD") == head and how is not How.APPLY:
            assert after == before
        assert after["locks"] == []
        clean(world.bench, is_dry_run=True)
    try:
        land(world.bench, dispatch, LandWish(how=how))
    except Refused:
        if not is_struck:
            assert user_state(world.sandbox) == before
        return
    if how is How.DISCARD:
        assert user_state(world.sandbox) == before
        assert world.sandbox.git("for-each-ref", "refs/heads/kimi", "refs/kimi") == ""
        return
    for task in world.tasks:
        if world.bench.history.task(dispatch, task.number).state is TaskState.DELIVERED:
            for path, text in task.made.items():
                file = world.sandbox.root / path
                held = str(file.readlink()) if file.is_symlink() else file.read_text("utf-8")
                assert held == text
    assert world.sandbox.git("diff", "--cached", "--name-only") == "staged.py"


async def _cleaned(world: CrashWorld, dispatch: DispatchId, rng: random.Random) -> None:
    if rng.random() < 0.5:
        world.struck.unlink(missing_ok=True)
        world.sabotage("command", rng.randint(4, 60), "kill")
        await _commanded(world, "clean")
        world.python.leave_alone()
    before = user_state(world.sandbox)
    clean(world.bench, is_dry_run=False)
    assert user_state(world.sandbox) == before
    if not world.bench.history.landings(dispatch):  # what has landed replaces what it was made upon
        check_work(world, dispatch)


async def _served(world: CrashWorld) -> None:
    """Ask a server for the dispatch; what becomes of the call when it is killed tells nothing."""
    with suppress(Exception):
        async with connected(world.sandbox) as client:
            await client.call_tool("dispatch_spec", {"spec": "1", "background": True})


async def _commanded(world: CrashWorld, *arguments: str) -> int:
    done = await anyio.run_process(
        [str(world.python.executable), "-P", "-m", "kimi_mcp", *arguments],
        check=False,
        cwd=world.sandbox.root,
        stderr=subprocess.STDOUT,
    )
    said = done.stdout.decode()
    assert done.returncode in {0, 1, 2, -9}, said
    assert "usage:" not in said
    return done.returncode
