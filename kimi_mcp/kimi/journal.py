"""The session journals of one Kimi home, followed live: steps, tools, tokens and the end.

Kimi writes them within 30 to 60 ms, also while a tool runs. A torn last line waits for its rest; a
run without any journal falls back to standard output. What a line says, the dialect knows.
"""

import os
import stat
from pathlib import Path

from kimi_mcp.kimi.dialect import Dialect
from kimi_mcp.kimi.observations import Observation, SessionFound, StepBegan
from kimi_mcp.kimi.records import LineSplitter, text_or_none

READ_BYTES = 4_000_000  # at most, per file and poll
STILL_LOOKS = 8  # one of so many is whole: what is new somewhere else shows in no stamp

MOST_SIGNS = 50  # journals; with more of them every look is whole

_Stamp = tuple[int, int]


class Journal:
    """Follows the journals of all agents of one Kimi home.

    Whole lines that stand in them when the object is made belong to earlier attempts and are passed
    over, unless all is wanted from the start; a torn last one is cut off by Kimi Code itself when
    it resumes (2.1.0, ran). The worker can delete, replace or fill them as it likes: nothing here
    raises for that or waits.
    """

    def __init__(self, home: Path, dialect: Dialect, *, is_from_the_start: bool = False) -> None:
        self._home = home
        self._dialect = dialect
        self._files: dict[Path, _Tail] = {}
        self._announced: set[str] = set()
        self._stamps: dict[Path, _Stamp] = {}
        self._looks = 0
        for path in [] if is_from_the_start else self._paths():
            self._files[path] = _Tail(path, offset=_end_of_lines(path))

    @property
    def agents(self) -> set[str]:
        """The agents that have a journal, however empty, as of the last `read`.

        Kimi Code makes the file some 70 ms before the agent's first request (2.1.0, traced).
        """
        return {text_or_none(self._dialect.journal_of(path)[1]) or "" for path in self._files}

    def is_still(self) -> bool:
        """Tell in microseconds that nothing was written since the last `read`.

        It says no now and then without cause, and always while there is no journal.
        """
        self._looks = (self._looks + 1) % STILL_LOOKS
        if not self._looks or not self._stamps:
            return False
        return all(_stamp(path) == before for path, before in self._stamps.items())

    def read(self) -> list[Observation]:
        """Return what was appended since the last call, in order within each file.

        A session counts as found with its first step: the file is there some 80 ms before the
        prompt is (Kimi Code 2.1.0), and taken up without it Kimi would not know what to do.
        """
        seen: list[Observation] = []
        self._stamps = {path: _stamp(path) for path in self._signs()}  # before what they stand for
        for path in self._paths():
            tail = self._files.setdefault(path, _Tail(path, offset=0))
            lines = tail.read()
            session_id, agent = (text_or_none(n) or "" for n in self._dialect.journal_of(path))
            for one in (o for line in lines for o in self._dialect.decode_journal(line, agent)):
                if isinstance(one, StepBegan) and session_id not in self._announced:
                    self._announced.add(session_id)
                    seen.append(SessionFound(session_id=session_id))
                seen.append(one)
        if not all(tail.is_whole for tail in self._files.values()):
            self._stamps = {}
        return seen

    def _signs(self) -> set[Path]:
        """Return the journals that are known, and the folders in which others would appear."""
        known = {*self._files}
        if len(known) > MOST_SIGNS:
            return set()
        homes = {self._home, *self._home.parents}
        return known | {folder for path in known for folder in path.parents} - homes

    def _paths(self) -> list[Path]:
        try:
            return sorted(self._home.glob(self._dialect.journals))
        except OSError:
            return []  # a folder went away while it was being listed


class _Tail:
    def __init__(self, path: Path, *, offset: int) -> None:
        self._path = path
        self._offset = offset
        self._splitter = LineSplitter()
        self.is_whole = True  # no more was there, at the last look

    def read(self) -> list[bytes]:
        try:
            chunk = _read(self._path, offset=self._offset)
        except OSError:
            return []
        self._offset += len(chunk)
        self.is_whole = len(chunk) < READ_BYTES
        return list(self._splitter.feed(chunk))


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _end_of_lines(path: Path) -> int:
    try:
        start = max(0, path.stat().st_size - READ_BYTES)
        return start + _read(path, offset=start).rfind(b"\n") + 1
    except OSError:
        return 0


def _read(path: Path, *, offset: int) -> bytes:
    # without waiting: somebody could put a named pipe in the journal's place
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        is_file = stat.S_ISREG(os.fstat(file).st_mode)
        return os.pread(file, READ_BYTES, offset) if is_file else b""
    finally:
        os.close(file)
