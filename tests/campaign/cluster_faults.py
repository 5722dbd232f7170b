"""What goes wrong with other machines, and what a user does then."""

import random
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from enum import StrEnum
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
import psutil
from crash_faults import Fault
from crash_world import CrashWorld

from living import until
from machines import Machines, children, is_worker, work_among

CUT_S = (1.0, 12.0)  # from a hiccup to longer than the head has patience
ENDED_S = 60.0  # within which a machine that lost the others has ended all that it did
DISK = "48m"


class ClusterKind(StrEnum):
    """What goes wrong."""

    RUNNER = "cluster: runner killed"
    ENGINE = "cluster: driver killed"
    BOTH = "cluster: runner and driver killed"
    ACTOR = "cluster: actor killed"
    WORKER = "cluster: actor's worker killed"
    RAYLET = "cluster: raylet killed"
    NODE = "cluster: node killed"
    HEAD = "cluster: head killed"
    CUT = "cluster: network cut and healed"
    ASLEEP = "cluster: runner's machine asleep"
    FULL = "cluster: node full"
    TOKEN = "cluster: wrong token"
    VERSION = "cluster: node of another version"


#: Those that are there from the beginning, and strike nobody at a moment.
STANDING = frozenset({ClusterKind.TOKEN, ClusterKind.VERSION})
_MOMENTS = {"kimi": 5, "check": 1, "runner": 120, "engine": 3}
_PLACES = {
    ClusterKind.RUNNER: ("runner", "kimi", "check"),
    ClusterKind.ENGINE: ("engine", "kimi", "check", "runner"),
    ClusterKind.BOTH: ("kimi", "check", "engine"),
}


def drawn(rng: random.Random, kind: ClusterKind) -> Fault:
    """Draw when and where it strikes."""
    where = rng.choice(_PLACES.get(kind, ("kimi", "kimi", "check")))
    return Fault(
        kind=kind, where=where, moment=rng.randint(1, _MOMENTS[where]), amount=rng.random()
    )


async def strike(world: CrashWorld, machines: Machines, fault: Fault) -> None:
    """Do what is to be done while somebody waits for us."""
    kind = ClusterKind(fault.kind)
    deeds: dict[ClusterKind, Callable[[], Awaitable[None]]] = {
        ClusterKind.RUNNER: lambda: world.kill("runner"),
        ClusterKind.ENGINE: lambda: world.kill("engine"),
        ClusterKind.BOTH: lambda: _kill_both(world),
        ClusterKind.ACTOR: lambda: _kill_actor(world, is_worker=False),
        ClusterKind.WORKER: lambda: _kill_actor(world, is_worker=True),
        ClusterKind.RAYLET: lambda: _kill_raylet(world, machines),
        ClusterKind.NODE: lambda: _kill_node(world, machines),
        ClusterKind.HEAD: lambda: _kill_head(machines),
        ClusterKind.CUT: lambda: _cut(world, machines, fault),
        ClusterKind.ASLEEP: lambda: _sleep(world, fault),
        ClusterKind.FULL: lambda: _fill(world, machines),
    }
    if fault.where in {"kimi", "check"}:  # a step of a real Kimi takes seconds, not one look
        await until(lambda: world.charged() == world.asked())
    await deeds[kind]()
    with suppress(OSError):
        await world.release()


def restored(machines: Machines) -> None:
    """Have those that went come again, as a user would."""
    for name in [*machines.nodes]:
        if not machines.is_up(name):
            machines.kill(name)
    if "head" not in machines.nodes:
        for name in [*machines.nodes]:  # of the old head; they end by themselves, in time
            machines.kill(name)
        machines.begin()
    for name in machines.names:
        if name not in machines.nodes:
            machines.join(name)


@asynccontextmanager
async def standing(
    world: CrashWorld, machines: Machines, kind: ClusterKind
) -> AsyncGenerator[None]:
    """Have what is wrong from the beginning be so while the block runs."""
    token = world.folder / "token"
    right = token.read_text(encoding="ascii")
    match kind:
        case ClusterKind.TOKEN:
            token.write_text("0" * len(right), encoding="ascii")
            world.struck.touch()
        case ClusterKind.VERSION:
            join = partial(machines.join, "three", version="9.9.9")
            await anyio.to_thread.run_sync(join)
            world.struck.touch()
        case _:
            pass
    try:
        yield
    finally:
        token.write_text(right, encoding="ascii")
        if kind is ClusterKind.VERSION:
            await anyio.to_thread.run_sync(machines.forget, "three")


async def _kill_both(world: CrashWorld) -> None:
    await world.kill("runner")
    await world.kill("engine")


def _struck_pid(world: CrashWorld) -> int:
    return int(world.struck.read_text(encoding="utf-8").split()[0])


def _ancestors(world: CrashWorld) -> Iterator[psutil.Process]:
    with suppress(psutil.Error):
        yield from psutil.Process(_struck_pid(world)).parents()


def _worker(world: CrashWorld) -> psutil.Process:
    """Find the process that has the attempt which waits for us carried out."""
    return next(filter(is_worker, _ancestors(world)))


async def _kill_actor(world: CrashWorld, *, is_worker: bool) -> None:
    worker = _worker(world)
    doomed = worker if is_worker else worker.parent()
    assert doomed is not None
    family = [doomed, *doomed.children(recursive=True)]
    doomed.send_signal(signal.SIGKILL)
    await _all_ended(family)


def _machine(world: CrashWorld, machines: Machines) -> str:
    """Name the machine on which somebody waits for us."""
    pids = {one.pid for one in _ancestors(world)}
    return next(name for name, process in machines.nodes.items() if process.pid in pids)


async def _kill_raylet(world: CrashWorld, machines: Machines) -> None:
    name = _machine(world, machines)
    work = work_among(children(machines.nodes[name].pid))
    raylet = machines.raylet(name)
    assert raylet is not None
    raylet.send_signal(signal.SIGKILL)
    await _all_ended(work)


async def _kill_node(world: CrashWorld, machines: Machines) -> None:
    """Kill the processes of Ray; what they started must end by itself."""
    name = _machine(world, machines)
    work = work_among(children(machines.nodes[name].pid))
    machines.kill(name, is_ray_only=True)
    await _all_ended(work)


async def _kill_head(machines: Machines) -> None:
    everywhere = [one for name in machines.names for one in children(machines.nodes[name].pid)]
    work = work_among(everywhere)
    machines.kill("head")
    await _all_ended(work)
    await anyio.to_thread.run_sync(restored, machines)


async def _cut(world: CrashWorld, machines: Machines, fault: Fault) -> None:
    name = _machine(world, machines)
    networks = machines.networks
    least, most = CUT_S
    assert networks is not None
    networks.cut(name)
    await world.release()
    await anyio.sleep(least + fault.amount * (most - least))  # the fault is its length
    networks.heal(name)


async def _sleep(world: CrashWorld, fault: Fault) -> None:
    """Suspend what runs on the user's machine, for a while."""
    least, most = CUT_S
    for kind in ("runner", "engine"):
        world.stop(kind)
    await world.release()
    await anyio.sleep(least + fault.amount * (most - least))
    for kind in ("engine", "runner"):
        world.stop(kind, is_over=True)


async def _fill(world: CrashWorld, machines: Machines) -> None:
    state = machines.state(_machine(world, machines))
    pid = _struck_pid(world)
    with _filled(state):
        await world.release()
        with anyio.move_on_after(8.0):
            await until(lambda: not psutil.pid_exists(pid))


@contextmanager
def _filled(folder: Path) -> Generator[None]:
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with suppress(OSError):
                while True:
                    file.write(b"x" * size)
    try:
        yield
    finally:
        filler.unlink()


async def _all_ended(family: list[psutil.Process]) -> None:
    """Every Kimi, and all that it and its machine started, ends within the bound."""
    await until(lambda: not any(_runs(one) for one in family), within_s=ENDED_S)


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.Error):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False
