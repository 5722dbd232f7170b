"""The SQLite file: how it is made, brought up to date, opened and locked.

One connection per unit of work. A writing unit begins with `BEGIN IMMEDIATE`, because a read
transaction that turns into a writing one is what yields "database is locked". A new file is built
aside and moved into place complete, so that nobody meets it half made or while it changes to
write-ahead logging. A damaged one is never replaced by itself: see `salvage`.
"""

import os
import sqlite3
import tempfile
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, TypeAlias

from kimi_mcp.errors import StoreUnusable
from kimi_mcp.history.migrations import all_or_nothing, migrate
from kimi_mcp.history.queries import QUERIES
from kimi_mcp.quoting.shapes import Redact, without_shapes

Value: TypeAlias = str | int | None

#: What workers, their files and their commands may have worded: stored without its secrets.
_WORDS = frozenset(
    {
        "closing_words",
        "fault",
        "note",
        "output_tail",
        "quote",
        "sentence",
        "spec_title",
        "stray_reason",
        "text",
        "title",
    }
)
BUSY_TIMEOUT_S = 5.0
_FAULTS_TOLD = 3
SALVAGE = (
    "Run `kimi-mcp history --salvage`: it copies all that can be read into a new file, and keeps "
    "the damaged one."
)
_OLDEST_SQLITE = (3, 37, 0)  # STRICT tables


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of work: an open connection and the named statements that run on it.

    What is written has its secrets taken out before the unit takes the write lock: looking for them
    can take a second, and nobody may wait for that.
    """

    connection: sqlite3.Connection
    redact: Redact = str
    is_writing: bool = False

    def run(self, query: str, **values: Value) -> sqlite3.Cursor:
        """Run the statement that the SQL file calls *query*; texts are stored without secrets."""
        storable = self._storable(values)
        self._begin()
        return self.connection.execute(QUERIES[query], storable)

    def run_each(self, query: str, rows: Iterable[Mapping[str, Value]]) -> None:
        """Run the statement named *query* once for each of *rows*."""
        storable = [self._storable(row) for row in rows]
        self._begin()
        self.connection.executemany(QUERIES[query], storable)

    def run_all(self, *statements: tuple[str, Mapping[str, Value]]) -> bool:
        """Run statements that belong together, if the first one has any effect.

        Returns:
            Whether it had.
        """
        storable = [(query, self._storable(values)) for query, values in statements]
        self._begin()
        for position, (query, values) in enumerate(storable):
            cursor = self.connection.execute(QUERIES[query], values)
            cursor.fetchall()
            if position == 0 and cursor.rowcount != 1:
                return False
        return True

    def _begin(self) -> None:
        if self.is_writing and not self.connection.in_transaction:
            self.connection.execute("BEGIN IMMEDIATE")

    def _storable(self, values: Mapping[str, Value]) -> Mapping[str, Value]:
        return {
            name: _encodable(self.redact(value) if name in _WORDS else value)
            if isinstance(value, str)
            else value
            for name, value in values.items()
        }


@dataclass(frozen=True, slots=True)
class Store:
    """The history's file; `open` makes it ready, the units of work happen on it."""

    path: Path
    redact: Redact = without_shapes
    patience_s: float = BUSY_TIMEOUT_S
    """How long a unit waits for another process that writes."""
    moment: sqlite3.Connection | None = None
    """Where reading units read: the connection of `snapshot`, else one of their own."""

    @classmethod
    def open(
        cls, path: Path, *, redact: Redact = without_shapes, patience_s: float = BUSY_TIMEOUT_S
    ) -> Self:
        """Make the file if it is missing, bring its schema up to date, and return the value.

        Raises:
            StoreUnusable: the file is newer than this program, damaged, or cannot be written.
        """
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            raise StoreUnusable(
                f"This Python's SQLite is {sqlite3.sqlite_version}; kimi-mcp needs 3.37 or newer. "
                "Use another Python."
            )
        store = cls(path.absolute(), redact, patience_s)
        with translated(store.path):
            if not store.path.exists():
                _build(store.path)
            with closing(connect(store.path)) as connection:
                migrate(connection, store.path)
        return store

    def damage(self) -> tuple[str, ...]:
        """Look at every page of the file (a second for a gigabyte or so); say what is wrong."""
        with self.reading() as unit:
            return damage(unit.connection)

    @contextmanager
    def snapshot(self) -> Generator[Self]:
        """Answer all that is asked within from one moment's state; not for writing."""
        with (
            translated(self.path),
            closing(connect(self.path, patience_s=self.patience_s)) as connection,
        ):
            connection.execute("BEGIN")
            yield replace(self, moment=connection)

    @contextmanager
    def reading(self) -> Generator[Unit]:
        """Open a unit that only reads."""
        if self.moment is not None:
            yield Unit(self.moment)
            return
        with (
            translated(self.path),
            closing(connect(self.path, patience_s=self.patience_s)) as connection,
        ):
            yield Unit(connection)

    @contextmanager
    def writing(self) -> Generator[Unit]:
        """Open a unit that writes: all of it happens, or nothing."""
        with (
            translated(self.path),
            closing(connect(self.path, patience_s=self.patience_s)) as connection,
            all_or_nothing(connection),
        ):
            yield Unit(connection, self.redact, is_writing=True)


def connect(path: Path, *, patience_s: float = BUSY_TIMEOUT_S) -> sqlite3.Connection:
    """Open the existing file at *path*; the connection may be handed from thread to thread."""
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=rw",
        uri=True,
        timeout=patience_s,
        isolation_level=None,
        check_same_thread=False,
    )
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


@contextmanager
def translated(path: Path) -> Generator[None]:
    """Say what is wrong with the file in a sentence, whatever SQLite says.

    Raises:
        StoreUnusable: SQLite or the disk refused.
    """
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise  # a bug of ours, not a file that a person could mend
    except (sqlite3.DatabaseError, OSError) as error:
        raise StoreUnusable(_told(path, error)) from error


def damage(connection: sqlite3.Connection) -> tuple[str, ...]:
    """Have SQLite look at every page of a file; say what is wrong, a few things at most."""
    try:
        found = connection.execute(f"PRAGMA quick_check({_FAULTS_TOLD})").fetchall()
    except sqlite3.DatabaseError as error:
        return (str(error),)
    return tuple(row[0] for row in found if row[0] != "ok")


def _told(path: Path, error: sqlite3.DatabaseError | OSError) -> str:
    match _kind(error):
        case sqlite3.SQLITE_CORRUPT:
            return f"The history {path} is damaged ({error}). {SALVAGE}"
        case sqlite3.SQLITE_NOTADB:
            return (
                f"The history {path} cannot be used: {error}, nor can anything be read of it. "
                "Put a backup in its place, or move the file away to begin a new history."
            )
        case _:
            return (
                f"The history {path} cannot be used: {error}. Look at the disk's free space and "
                "the file's permissions, or move the file away to begin a new history."
            )


def _kind(error: sqlite3.DatabaseError | OSError) -> int | None:
    code: int | None = getattr(error, "sqlite_errorcode", None)  # not every error has it
    return None if code is None else code & 0xFF  # the rest tells where it was met


def _build(path: Path) -> None:
    from filelock import FileLock  # noqa: PLC0415  11 ms of every start, for the first one alone

    with FileLock(f"{path}.lock", mode=0o600):
        if path.exists():  # somebody else built it while we waited
            return
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600
        os.close(descriptor)
        draft = Path(name)
        try:
            with closing(connect(draft)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                migrate(connection, path)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


def _encodable(text: str) -> str:
    """Write lone surrogates as escapes: file names and torn output hold them, SQLite cannot."""
    return text.encode("utf-8", "backslashreplace").decode()
