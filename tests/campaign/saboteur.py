"""Loaded into every Python process of ours in a crash campaign: ends or holds it at a named moment.

A moment is the n-th time that a process of some role opens the history, starts a program, or makes,
renames or removes a file of its world; in the launchers, which do none of that with files, also a
fork, a change of folder and a signal. (A launcher counts on from the server that forked it.) So
each gap between two writes can be hit, and hit again: a moment by the clock would seldom be one of
them. Nothing here is imported by a test.

`fault.json` beside this file names role, moment and deed; each fault strikes once. The deed `hold`
lets the test act: the process waits at a named pipe until the test has opened it.
"""

import datetime as dt
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROLES = {
    "kimi_mcp.dispatch.running.runner": "runner",
    "fork_server.py": "launcher",
    "kimi_mcp.cluster.engine": "engine",
    "kimi_mcp": "command",
}
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
OF_LAUNCHERS = {"os.fork", "os.chdir", "os.kill"}
OF_FILES = {"os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.symlink", "shutil.rmtree"}


class Saboteur:
    """Counts the moments of one process."""

    def __init__(self, fault: dict[str, Any]) -> None:
        self._fault = fault
        self._world = os.fsencode(fault["world"])
        self._count = 0
        self._is_busy = False

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take in an audit event."""
        if self._is_busy or not self._is_moment(event, arguments):
            return
        self._count += 1
        if self._count == self._fault["moment"]:
            self._is_busy = True
            self._strike(event)
            self._is_busy = False

    def _is_moment(self, event: str, arguments: tuple[Any, ...]) -> bool:
        if event in {"subprocess.Popen", "sqlite3.connect"}:
            return True
        if event in OF_LAUNCHERS:
            return self._fault["role"] == "launcher"
        if event == "open":
            path, _, flags = arguments
            return bool(flags & WRITES) and self._is_of_world(path)
        return event in OF_FILES and self._is_of_world(arguments[0])

    def _is_of_world(self, path: object) -> bool:
        return isinstance(path, str | bytes | Path) and os.fsencode(path).startswith(self._world)

    def _strike(self, event: str) -> None:
        struck = Path(self._fault["struck"])
        try:
            struck.touch(exist_ok=False)
        except FileExistsError:  # once is enough
            return
        struck.write_text(f"{os.getpid()} {event}\n", encoding="utf-8")
        if self._fault["deed"] == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        Path(self._fault["go"]).read_bytes()


class ShiftedClock(dt.datetime):
    """Tells the time that the test wants it to be."""

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:
        """Return this moment, shifted by the seconds in a file."""
        return super().now(tz) + dt.timedelta(seconds=_shift())


def _shift() -> float:
    try:
        return float((HERE / "shift").read_text(encoding="ascii"))
    except OSError:
        return 0.0


def role() -> str | None:
    """Say which of our processes this one is."""
    for word in sys.orig_argv[1:6]:
        for name, meant in ROLES.items():
            if word == name or word.endswith(f"/{name}"):
                return meant
    return None


def begin() -> None:
    """Watch this process, if it is meant."""
    mine = role()
    if mine is None:
        return
    dt.datetime = ShiftedClock  # type: ignore[misc]
    try:
        fault = json.loads((HERE / "fault.json").read_text(encoding="utf-8"))
    except OSError:
        return
    if fault["role"] == mine:
        sys.addaudithook(Saboteur(fault).hear)


begin()
