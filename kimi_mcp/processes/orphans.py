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


def adopt_orphans() -> None:
    """Make this process the one that inherits what a killed launcher leaves (Linux)."""
    launcher.become_subreaper()


def end_orphans() -> None:
    """KILL every process that we inherited, and what it started.

    Inherited: a child in another session than ours that is no launcher. What we start ourselves
    stays in our session (git) or is a launcher.
    """
    began = time.monotonic()
    while time.monotonic() - began < BOUND_S:
        orphans = [child for child in psutil.Process().children() if _is_inherited(child)]
        if not orphans:
            return
        for orphan in orphans:
            with contextlib.suppress(psutil.Error):  # it has just ended, or belongs to another user
                for process in [*orphan.children(recursive=True), orphan]:
                    process.kill()
        time.sleep(0.02)


def _is_inherited(child: psutil.Process) -> bool:
    try:
        return (
            child.status() != psutil.STATUS_ZOMBIE
            and os.getsid(child.pid) != os.getsid(0)
            and fork_server.__file__ not in child.cmdline()
        )
    except (psutil.Error, ProcessLookupError):
        return False
