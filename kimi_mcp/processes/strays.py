"""The last net: what a killed runner and its killed launchers leave behind, when both died at once.

Then nobody has inherited what a worker had started. It is found by its environment: what works for
a dispatch has its temporary folder, or a mark of ours, in the dispatch's folder. Other variables do
not count: a person who looks around in a clone has its path in theirs. What has emptied its
environment meanwhile is not found, so it is the last net only (see `launcher`, `orphans`).
"""

import contextlib
import os
import time
from pathlib import Path

import psutil

MARK = "KIMI_MCP_RUN"  # in the environment of a runner, and so of its launchers
MARKS = (MARK, "TMPDIR")
BOUND_S = 5.0
POLL_S = 0.02


def end_strays(folder: Path) -> None:
    """KILL every process whose environment marks it as of *folder*, and what it started.

    Returns when none is left, or after a while: what waits for a broken disk cannot be ended.
    """
    deadline = time.monotonic() + BOUND_S
    while (strays := _strays(folder)) and time.monotonic() < deadline:
        for stray in strays:
            with contextlib.suppress(psutil.Error):  # it has just ended
                for process in [*stray.children(recursive=True), stray]:
                    process.kill()
        time.sleep(POLL_S)


def _strays(folder: Path) -> list[psutil.Process]:
    ours = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return [one for one in psutil.process_iter() if one.pid not in ours and _is_of(one, folder)]


def _is_of(process: psutil.Process, folder: Path) -> bool:
    place = str(folder)
    try:
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        variables = process.environ()
    except (psutil.Error, OSError):  # gone meanwhile, or another user's
        return False
    told = [variables.get(name, "") for name in MARKS]
    return any(text == place or text.startswith(f"{place}/") for text in told)
