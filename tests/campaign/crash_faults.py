"""What goes wrong in a crash campaign, and when. Each fault strikes once."""

import os
import random
import shutil
import sqlite3
import subprocess
from collections.abc import Awaitable, Callable, Generator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread
from crash_world import CrashWorld
from worlds import Planned

from kimi_mcp.dispatch.admission import LaunchWish
from kimi_mcp.dispatch.housekeeping.clean import clean
from kimi_mcp.dispatch.launch import launch
from kimi_mcp.dispatch.recovery.reconcile import reconcile
from kimi_mcp.dispatch.retake import resume
from kimi_mcp.errors import Refused
from kimi_mcp.review.listing import dispatch_table
from living import until

LOCKED_S = 6.0  # longer than a writer waits
FULL_BYTES = "48m"
_SERVED = 0.5  # the share of server's among what is asked from outside
FAULT_BOUND_S = 8.0  # how long a fault of the surroundings stays


class Kind(StrEnum):
    """What goes wrong."""

    RUNNER = "runner killed"
    COMMAND = "command line or server killed"
    LAUNCHER = "launcher killed"
    KIMI = "Kimi killed"
    CHECK = "check killed"
    GIT = "git killed"
    ALL = "all killed at once"
    FULL = "disk full"
    READ_ONLY = "state folder read-only"
    LOCKED = "database locked"
    CLOCK = "clock jumps"
    STOPPED = "process suspended"
    TWO = "two at once"
    UPGRADE = "package replaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault: what, in whose work, and at which of its moments."""

    kind: StrEnum  # of this module, or of another campaign
    where: str
    moment: int
    amount: float
    """Between 0 and 1: which process, which way, how much."""

    @property
    def is_served(self) -> bool:
        """Whether the dispatch is asked for over a server's stdio, and not at the command line."""
        return self.where == "command" and self.amount < _SERVED

    @property
    def is_hold(self) -> bool:
        """Whether the process that reaches the moment waits for the test."""
        own = self.kind in {Kind.RUNNER, Kind.COMMAND, Kind.GIT} or self.where == "launcher"
        return not own


_PLACES = {
    Kind.RUNNER: ("runner",),
    Kind.COMMAND: ("command",),
    Kind.LAUNCHER: ("launcher", "runner", "kimi", "check"),
    Kind.KIMI: ("kimi",),
    Kind.CHECK: ("check",),
    Kind.GIT: ("git",),
}
#: How many moments there are, at most, in a small dispatch.
_MOMENTS = {"runner": 260, "launcher": 12, "command": 50, "git": 10, "kimi": 5, "check": 1}


def drawn(rng: random.Random, kind: Kind) -> Fault:
    """Draw when and where it strikes."""
    where = rng.choice(_PLACES.get(kind, ("runner", "runner", "kimi", "check")))
    return Fault(
        kind=kind,
        where=where,
        moment=rng.randint(1, _MOMENTS[where]),
        amount=rng.random(),
    )


def lay(world: CrashWorld, fault: Fault, tasks: list[Planned]) -> None:
    """Prepare the world so that the fault strikes."""
    if fault.where == "kimi":
        acts = tasks[int(fault.amount * len(tasks))].acts
        acts.insert(min(fault.moment, len(acts)), ("hold_once", str(world.struck), str(world.go)))
    elif fault.where == "check":
        for task in tasks:
            task.command = world.lay_check()
    elif fault.where == "git":
        _lay_git(world, fault.moment)
    else:
        world.sabotage(fault.where, fault.moment, "hold" if fault.is_hold else "kill")


async def strike(world: CrashWorld, fault: Fault) -> None:
    """Do what is to be done while somebody waits for us."""
    deeds: dict[Kind, Callable[[CrashWorld, Fault], Awaitable[None]]] = {
        Kind.FULL: _full,
        Kind.READ_ONLY: _read_only,
        Kind.LOCKED: _locked,
        Kind.CLOCK: _clock,
        Kind.STOPPED: _stopped,
        Kind.TWO: _two,
        Kind.UPGRADE: _upgrade,
    }
    match fault.kind:
        case Kind.ALL:
            await world.kill(None)
        case Kind.LAUNCHER | Kind.KIMI | Kind.CHECK:
            await world.kill(
                {Kind.LAUNCHER: "launcher", Kind.KIMI: "kimi"}.get(fault.kind, "check")
            )
            await world.release()
        case _:
            await deeds[Kind(fault.kind)](world, fault)


async def _runner_done(world: CrashWorld) -> None:
    """Wait until the runner has met the fault's consequences, or for a while."""
    with anyio.move_on_after(FAULT_BOUND_S):
        await until(lambda: not world.processes("runner"))


async def _full(world: CrashWorld, _: Fault) -> None:
    filler = world.bench.state.root / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        for size in (1 << 20, 1 << 12, 1):
            with suppress(OSError):
                while True:
                    file.write(b"x" * size)
    await world.release()
    await _runner_done(world)
    filler.unlink()


async def _read_only(world: CrashWorld, _: Fault) -> None:
    state, aside = str(world.bench.state.root), world.folder / "aside"
    aside.mkdir()
    with mounted("--bind", state, str(aside)):
        await anyio.run_process(["mount", "-o", "remount,bind,ro", str(aside)])
        with mounted("--bind", str(aside), state):
            await world.release()
            await _runner_done(world)


async def _locked(world: CrashWorld, fault: Fault) -> None:
    path = world.bench.state.history_db
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        await world.release()
        with anyio.move_on_after(LOCKED_S * (0.2 + fault.amount)):
            await until(lambda: not world.processes("runner"))
        connection.execute("ROLLBACK")


async def _clock(world: CrashWorld, fault: Fault) -> None:
    seconds = (fault.amount - 0.5) * 2 * 400 * 86_400
    shift_clock(world, seconds)
    await world.release()


def shift_clock(world: CrashWorld, seconds: float) -> None:
    """Let the clock of everybody jump."""
    world.python.shift_clock(seconds)
    world.bench = replace(world.bench, now=lambda: datetime.now(UTC) + timedelta(seconds=seconds))


async def _stopped(world: CrashWorld, fault: Fault) -> None:
    kind = ("runner", "launcher", "kimi", "check")[int(fault.amount * 4)]
    (live,) = world.bench.history.live() or (None,)
    world.stop(kind)
    await world.release()
    try:
        for _ in range(3):
            await anyio.to_thread.run_sync(dispatch_table, world.bench)
        if live is not None and kind == "runner":
            assert not world.bench.history.dispatch(live.id).state.is_terminal
    finally:
        world.stop(kind, is_over=True)
    await world.release()


async def _two(world: CrashWorld, _: Fault) -> None:
    """Let others at the same repository and dispatch, while it runs."""
    bench = world.bench
    (live,) = bench.history.live() or (None,)

    def refused(act: Callable[[], object]) -> None:
        try:
            act()
        except Refused:
            return
        raise AssertionError(act)

    if live is not None:
        again = partial(launch, bench, LaunchWish(spec="1"))
        async with anyio.create_task_group() as others:
            for act in (again, partial(resume, bench, live.id)):
                others.start_soon(anyio.to_thread.run_sync, refused, act)
            for act in (partial(reconcile, bench), partial(clean, bench, is_dry_run=False)):
                others.start_soon(anyio.to_thread.run_sync, act)
        assert not bench.history.dispatch(live.id).state.is_terminal
    await world.release()


async def _upgrade(world: CrashWorld, _: Fault) -> None:
    """Put another version in the place of the package, while a runner is at work."""
    package = world.python.package
    for file in package.rglob("*.py"):
        fresh = file.with_suffix(".new")
        fresh.write_text("raise ImportError('of another version')\n", encoding="utf-8")
        fresh.replace(file)
    await world.release()


def upgraded(world: CrashWorld) -> None:
    """Complete the upgrade: what is there now works again."""
    if world.python.package.is_dir():
        shutil.rmtree(world.python.package)
        world.python.copy_package()


@contextmanager
def mounted(*arguments: str) -> Generator[None]:
    """Mount something while the block runs; its place is the last argument."""
    subprocess.run(["mount", *arguments], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", arguments[-1]], check=True)


def may_mount(folder: Path) -> bool:
    """Whether this machine lets us mount: as root, where the container allows it."""
    place = folder / "mounted"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "tmpfs", str(place)], check=False, capture_output=True
    )
    if done.returncode == 0:
        subprocess.run(["umount", str(place)], check=True)
    return done.returncode == 0


#: A git that is killed at one of its calls; one that moves a ref, with its locks held.
_GIT = r"""#!/bin/sh
[ -e {board}/armed ] || exec {git} "$@"
echo >> {board}/gits
if [ "$(wc -l < {board}/gits)" -lt {moment} ] || ! mkdir {board}/git-struck 2>/dev/null
then exec {git} "$@"; fi
echo "$$ git" > {struck}
case " $* " in
*" update-ref refs/"*)
  set -- $(printf '%s ' "$@" | sed 's/.* update-ref //')
  mkfifo {board}/orders
  {git} --git-dir={git_dir} update-ref --stdin < {board}/orders > {board}/said &
  exec 3> {board}/orders
  printf 'start\nupdate %s %s\nprepare\n' "$1" "$2" >&3
  while ! grep -q 'prepare: ok' {board}/said; do kill -0 $! || break; done ;;
*)
  {git} "$@" & ;;
esac
kill -9 $! $$
"""


def _lay_git(world: CrashWorld, moment: int) -> None:
    """Put a git first on PATH that is killed at one of its calls, with its locks held."""
    folder = world.folder / "bin"
    folder.mkdir()
    script = _GIT.format(
        board=world.board,
        git=shutil.which("git"),
        moment=moment,
        struck=world.struck,
        git_dir=world.sandbox.root / ".git",
    )
    (folder / "git").write_text(script, encoding="utf-8")
    (folder / "git").chmod(0o755)
    os.environ["PATH"] = f"{folder}:{os.environ['PATH']}"
