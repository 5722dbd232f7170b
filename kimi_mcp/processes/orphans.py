"""The second net: what a killed launcher leaves behind becomes the runner's child, and is ended.

The launcher normally ends everything itself. A worker with a full shell can kill the launcher;
then its processes are adopted by the next child subreaper, which is the runner (Linux).
"""

import contextlib
import os
import time

import psutil

from kimi_mcp.processes import fork_server, launcher

BOUND_S = 10.0
POLL_S = 0.02


def adopt_orphans() -> None:
    """Make this process the one that inherits what a killed launcher leaves (Linux)."""
    launcher.become_subreaper()


def end_orphans(launcher_pid: int | None) -> None:
    """KILL every process that we inherited from a dead or dying launcher, and what it started.

    Inherited: a child in another session than ours that is no launcher. What we start ourselves
    stays in our session (git) or is a launcher. Returns when none is left, or after a while.
    """
    deadline = time.monotonic() + BOUND_S
    # its pipes end before its children become ours (Linux, `do_exit`)
    while launcher_pid is not None and _is_alive(launcher_pid) and time.monotonic() < deadline:
        time.sleep(POLL_S)
    known_dead: set[int] = set()
    while time.monotonic() < deadline:
        inherited = [child for child in psutil.Process().children() if _is_inherited(child)]
        dead = {child.pid for child in inherited if not _is_alive(child.pid)}
        # who died during this look may have left us children that it could not see
        if dead == {child.pid for child in inherited} and dead <= known_dead:
            return
        known_dead |= dead
        for orphan in inherited:
            with contextlib.suppress(psutil.Error):  # it has just ended, or belongs to another user
                for process in [*orphan.children(recursive=True), orphan]:
                    process.kill()
        time.sleep(POLL_S)


def _is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _is_inherited(child: psutil.Process) -> bool:
    try:
        return os.getsid(child.pid) != os.getsid(0) and not _is_launcher(child)
    except ProcessLookupError:
        return False


def _is_launcher(child: psutil.Process) -> bool:
    try:
        return fork_server.__file__ in child.cmdline()
    except psutil.Error:  # a zombie has no words
        return False
