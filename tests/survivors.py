"""Which processes of a dispatch are left, and what a daemon does to be overlooked."""

import shlex
import threading
from collections.abc import Iterable
from pathlib import Path

import anyio
import anyio.to_thread
import psutil

from living import is_alive, pid_in
from patience import PATIENCE_S


def processes_of(dispatch: str) -> list[psutil.Process]:
    """Find every process that names *dispatch* in its arguments, folder or environment.

    By more than its name: Kimi Code renames itself, and a child may have changed any of the three.
    """
    return [process for process in psutil.process_iter() if _belongs(process, dispatch)]


def daemonized(command: str) -> str:
    """Wrap a shell command into all that a daemon does to be forgotten by who started it."""
    inner = shlex.quote(f"cd /; sh -c {shlex.quote(command)} &")
    return f"env -i PATH=$PATH setsid sh -c {inner} </dev/null >/dev/null 2>&1"


def family_of(pid: int) -> list[psutil.Process]:
    """Return a process and all that descend from it now; they stay known when they are adopted."""
    head = psutil.Process(pid)
    return [head, *head.children(recursive=True)]


def living(processes: Iterable[psutil.Process]) -> list[psutil.Process]:
    """Return those that still run; a dead one that nobody has collected does not."""
    return [one for one in processes if one.is_running() and is_alive(one.pid)]


async def process_in(file: Path) -> psutil.Process:
    """Wait until *file* holds a line with a pid, and return that process."""
    return psutil.Process(await pid_in(file))


async def happened(event: threading.Event, *, within_s: float = PATIENCE_S) -> None:
    """Wait for an event that a thread sets."""
    assert await anyio.to_thread.run_sync(event.wait, within_s)


def _belongs(process: psutil.Process, dispatch: str) -> bool:
    try:
        told = [*process.cmdline(), process.cwd(), *process.environ().values()]
    except psutil.Error:  # gone meanwhile, or a zombie
        return False
    return any(dispatch in text for text in told)
