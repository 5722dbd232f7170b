"""Random dispatches on other machines, while one of them, the network or the runner goes.

All of them: `FULL_CAMPAIGN=1 .venv/bin/pytest -n 0 tests/campaign/test_campaign_cluster.py`
"""

import json
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Generator
from contextlib import ExitStack, suppress
from pathlib import Path

import anyio
import pytest
from cluster_faults import DISK, STANDING, ClusterKind, drawn, restored, standing, strike
from crash_faults import Fault, lay, may_mount, mounted
from crash_world import CrashWorld
from invariants import check_claims, check_nothing_left
from recovering import check_all_done, is_over, judged, resumed
from user_state import fsck, user_state
from worlds import BASE, planned

from kimi_mcp.dispatch.admission import LaunchWish
from kimi_mcp.dispatch.launch import launch
from kimi_mcp.history.ids import DispatchId
from living import until
from machines import FAKE, Machines
from networks import Networks, may_have_networks
from sandbox import Sandbox
from survivors import processes_of

KINDS = tuple(ClusterKind)
#: Each of these has found something that was mended since, or is the quickest of its kind.
IN_SHORT = (0, 4, 6, 8, 15)
SEEDS = range(65) if "FULL_CAMPAIGN" in os.environ else IN_SHORT
WEIGHTS = (90, 3, 2, 0, 0, 3, 2)
BOUND_S = 90.0  # within which a dispatch is over, whatever goes
NODES = "one", "two"
MOST_STEPS = 100  # of a task, unless its spec says otherwise
CARRIED = ("create", "share", "modify", "delete", "move", "mode", "link")  # no large files
#: Ray's own patience is a minute and more; the campaign would wait for little else.
IMPATIENT = {
    "RAY_health_check_initial_delay_ms": "500",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_timeout_ms": "1500",
    "RAY_health_check_failure_threshold": "3",
    "RAY_gcs_rpc_server_reconnect_timeout_s": "5",
    "RAY_raylet_liveness_self_check_interval_ms": "1000",
}


@pytest.fixture(scope="module")
def machines() -> Generator[Machines]:
    """A head and two nodes, each with a disk and, where that may be, a network of its own."""
    folder = Path(tempfile.mkdtemp(prefix="k", dir="/tmp"))  # Ray's sockets need a short path
    program = folder / "kimi"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "{FAKE}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    networks = Networks() if may_have_networks() else None
    made = Machines(folder, program, networks=networks, settings=IMPATIENT)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        if may_mount(folder):
            for name in NODES:
                disk = made.state(name)
                disk.mkdir(parents=True)
                of_size = "-o", f"size={DISK},mode=700"
                stack.enter_context(mounted("-t", "tmpfs", *of_size, "tmpfs", str(disk)))
        if networks:
            stack.callback(networks.end)
            networks.begin()
        stack.callback(made.end)
        made.begin()
        for name in NODES:
            made.join(name)
        yield made


@pytest.fixture
def world(
    sandbox: Sandbox,
    machines: Machines,
    noticeboard: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Generator[CrashWorld]:
    """A user's machine, from which everything is carried out on the nodes."""
    token = tmp_path / "token"
    token.write_text(machines.token.read_text(encoding="ascii"), encoding="ascii")
    readable = [str(FAKE.parent), sys.prefix, sys.base_prefix, str(machines.folder), str(tmp_path)]
    for name, value in {
        "KIMI": str(machines.kimi),
        "ALLOW_READ": json.dumps(readable),
        "CLUSTER_ADDRESS": machines.address,
        "CLUSTER_TOKEN_FILE": str(token),
        "CLUSTER_POLICY": "cluster",
        "LIMITS_GRACE_S": "1",
        "LIMITS_FREE_BYTES": "0",
    }.items():
        monkeypatch.setenv(f"KIMI_MCP_{name}", value)
    for name, value in IMPATIENT.items():
        monkeypatch.setenv(name, value)
    for path, text in BASE.items():
        if not path.endswith((".bin", ".gitattributes")):  # large files stay at home
            sandbox.write(path, text)
    sandbox.commit("Base")
    sandbox.write("staged.py", "staged = 1\n")
    sandbox.git("add", "staged.py")
    sandbox.write("untracked.py", "untracked = 1\n")
    made = CrashWorld(sandbox, tmp_path, noticeboard, has_own_package=False)
    monkeypatch.setattr(sys, "executable", str(made.python.executable))
    yield made
    for process in made.processes():
        with suppress(Exception):
            process.kill()
    restored(machines)


@pytest.mark.timeout(600)  # a fault of the network is waited for
@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_goes_among_the_machines_nothing_is_lost(
    world: CrashWorld,
    machines: Machines,
    tell_fault: Callable[[str, Path], None],
    seed: int,
) -> None:
    rng = random.Random(f"cluster {seed}")
    kind = KINDS[seed % len(KINDS)]
    if kind is ClusterKind.CUT and machines.networks is None:
        kind = ClusterKind.NODE  # the nearest to it that needs no rights
    fault = drawn(rng, kind)
    tasks = planned(rng, most=3, weights=WEIGHTS, only=CARRIED)
    if kind not in STANDING:
        lay(world, fault, tasks)
    world.specify(tasks)
    before = user_state(world.sandbox)

    async with standing(world, machines, kind):
        dispatch = await _struck(world, machines, fault)
        tell_fault(kind, world.struck)
        await until(lambda: is_over(world), within_s=BOUND_S)
        check_claims(world, dispatch)
        assert user_state(world.sandbox) == before
    await anyio.to_thread.run_sync(restored, machines)

    await resumed(world, dispatch)
    places = [machines.state(name) for name in NODES]
    await judged(world, dispatch, elsewhere=places, unheard=_unheard(world, dispatch))
    check_all_done(world, dispatch)
    assert user_state(world.sandbox) == before
    assert fsck(world.sandbox) == ""
    check_nothing_left(world)
    await until(lambda: not processes_of(dispatch))
    await until(lambda: not machines.keepers())


def _unheard(world: CrashWorld, dispatch: DispatchId) -> int:
    """Count the steps that Kimis may have made which nobody could hear: all that they had left."""
    attempts = [
        one
        for task in world.tasks
        for one in world.bench.history.attempts(dispatch, task.number)
        if "was lost with it" in (one.sentence or "")
    ]
    return sum(MOST_STEPS - one.steps for one in attempts)


async def _struck(world: CrashWorld, machines: Machines, fault: Fault) -> DispatchId:
    """Start the dispatch, and let the fault strike when its moment comes."""
    launched = await anyio.to_thread.run_sync(launch, world.bench, LaunchWish(spec="1"))
    await until(lambda: world.has_struck() or is_over(world), within_s=BOUND_S)
    if world.has_struck():
        await strike(world, machines, fault)
    world.python.leave_alone()
    return launched.dispatch
