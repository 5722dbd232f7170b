"""The SQLite file: how it is made, brought up to date, opened and locked.

One connection per unit of work. A writing unit begins with `BEGIN IMMEDIATE`, because a read
transaction that turns into a writing one is what yields "database is locked". `user_version` is the
record of the schema and changes in the same transaction. A new file is built aside and moved into
place complete, so that nobody meets it half made or while it changes to write-ahead logging.
"""

import os
import sqlite3
import tempfile
from collections.abc import Generator, Iterable, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Self, TypeAlias

from filelock import FileLock

from kimi_mcp.errors import StoreUnusable
from kimi_mcp.history.queries import QUERIES

Value: TypeAlias = str | int | None

_BUSY_TIMEOUT_S = 5.0
_OLDEST_SQLITE = (3, 37, 0)  # STRICT tables


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of work: an open connection and the named statements that run on it."""

    connection: sqlite3.Connection

    def run(self, query: str, **values: Value) -> sqlite3.Cursor:
        """Run the statement named *query*."""
        return self.connection.execute(QUERIES[query], _storable(values))

    def run_each(self, query: str, rows: Iterable[Mapping[str, Value]]) -> None:
        """Run the statement named *query* once for each of *rows*."""
        self.connection.executemany(QUERIES[query], [_storable(row) for row in rows])


@dataclass(frozen=True, slots=True)
class Store:
    """The history's file; `open` makes it ready, the units of work happen on it."""

    path: Path

    @classmethod
    def open(cls, path: Path) -> Self:
        """Make the file if it is missing, bring its schema up to date, and return the value.

        Raises:
            StoreUnusable: the file is newer than this program, damaged, or cannot be written.
        """
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            raise StoreUnusable(
                f"This Python's SQLite is {sqlite3.sqlite_version}; kimi-mcp needs 3.37 or newer. "
                "Use another Python."
            )
        store = cls(path.absolute())
        with translated(store.path):
            if not store.path.exists():
                _build(store.path)
            with closing(connect(store.path)) as connection:
                _migrate(connection, store.path)
        return store

    @contextmanager
    def reading(self) -> Generator[Unit]:
        """Open a unit that only reads."""
        with translated(self.path), closing(connect(self.path)) as connection:
            yield Unit(connection)

    @contextmanager
    def writing(self) -> Generator[Unit]:
        """Open a unit that writes: all of it happens, or nothing."""
        with (
            translated(self.path),
            closing(connect(self.path)) as connection,
            _all_or_nothing(connection),
        ):
            yield Unit(connection)


def connect(path: Path) -> sqlite3.Connection:
    """Open the existing file at *path*; the connection may be handed from thread to thread."""
    connection = sqlite3.connect(
        f"{path.as_uri()}?mode=rw",
        uri=True,
        timeout=_BUSY_TIMEOUT_S,
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
        raise StoreUnusable(
            f"The history {path} cannot be used: {error}. Look at the disk's free space and the "
            "file's permissions, or move the file away to begin a new history."
        ) from error


def _build(path: Path) -> None:
    with FileLock(f"{path}.lock"):
        if path.exists():  # somebody else built it while we waited
            return
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # 0600
        os.close(descriptor)
        draft = Path(name)
        try:
            with closing(connect(draft)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
                _migrate(connection, path)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    if _version(connection) == len(SCHEMA):
        return
    with _all_or_nothing(connection):
        found = _version(connection)  # again: now nobody else can change it
        if found > len(SCHEMA):
            raise StoreUnusable(
                f"The history {path} was written by a newer kimi-mcp (its schema is {found}, this "
                f"one knows {len(SCHEMA)}). Upgrade this kimi-mcp, or set KIMI_MCP_HOME to "
                "another folder."
            )
        for script in SCHEMA[found:]:
            for statement in _statements(script):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(SCHEMA)}")


@contextmanager
def _all_or_nothing(connection: sqlite3.Connection) -> Generator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _version(connection: sqlite3.Connection) -> int:
    return connection.execute("PRAGMA user_version").fetchone()[0]


def _statements(script: str) -> Generator[str]:
    """Split at the semicolons that end a statement; `executescript` would commit on its own."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""


def _storable(values: Mapping[str, Value]) -> Mapping[str, Value]:
    """Write lone surrogates as escapes: file names and torn output hold them, SQLite cannot."""
    return {
        name: value.encode("utf-8", "backslashreplace").decode()
        if isinstance(value, str)
        else value
        for name, value in values.items()
    }


def _schema() -> tuple[str, ...]:
    folder = resources.files("kimi_mcp.history").joinpath("schema")
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return tuple(file.read_text(encoding="utf-8") for file in files if file.name.endswith(".sql"))


#: The scripts that make version 1, 2, 3 … of the schema, each upon the one before.
SCHEMA: tuple[str, ...] = _schema()
