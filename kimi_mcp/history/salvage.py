"""Copying what can be read of a damaged history into a new file.

The damaged file is only ever copied and renamed, and stays beside the new one. Rows are read in
order from both ends, dispatch by dispatch, so that one bad page costs what lies on it and no more.
A row that breaks the schema's rules was torn as well and is left out. What is missing is told.
"""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Generator, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from kimi_mcp.errors import Refused, StoreUnusable
from kimi_mcp.history.migrations import SCHEMA, all_or_nothing, apply, migrate, refuse_newer
from kimi_mcp.history.migrations import version as version_of
from kimi_mcp.history.store import connect, damage

WAL, SHM = "-wal", "-shm"
#: The only table that others refer to without being kept by dispatch themselves; so it comes first.
_ROOT = "dispatches"
_OF_A_DISPATCH = "dispatch"
_HELD_ALREADY = frozenset({sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID})
_ORDER = ("dispatches", "tasks", "attempts")  # what others refer to, first


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvaged:
    """What a copy of a damaged history holds, and what is known to be missing from it."""

    damaged: Path
    """Where the damaged file lies now."""
    dispatches: int
    events: int
    lost_dispatches: int
    lost_events: int
    """Of the dispatches that could be read: gaps in their numbers."""
    torn_rows: int
    """Rows that could be read and made no sense, or whose dispatch was lost."""


def salvage(path: Path, *, stamp: str) -> Salvaged:
    """Put a new history at *path* that holds what can be read of the damaged one there.

    *stamp* becomes part of the damaged file's new name. Only for who knows that nobody writes.

    Raises:
        Refused: the file is whole, missing, or nothing can be read of it; it stays as it is.
        StoreUnusable: a newer version has written it, or the disk refused; it stays as it is.
    """
    if not path.exists():
        raise Refused(f"There is no history {path}.")
    aside = path.with_name(f"{path.name}.damaged-{stamp}")
    try:
        with (
            FileLock(f"{path}.lock", mode=0o600),
            tempfile.TemporaryDirectory(prefix=".salvage.", dir=path.parent) as scratch,
        ):
            copy, draft = Path(scratch, "damaged.db"), Path(scratch, "history.db")
            _copy(path, copy)
            found = _rescued(path, copy, draft, aside=aside)
            _set_aside(path, aside)
            draft.replace(path)
    except OSError as error:
        raise StoreUnusable(
            f"The history {path} could not be copied: {error}. Make room on the disk, and try "
            "again; it is as it was."
        ) from error
    return found


def _copy(source: Path, target: Path) -> None:
    """Copy a database with what has not been folded into it yet."""
    for rest in ("", WAL):
        part = source.with_name(source.name + rest)
        if part.exists():
            copied = target.with_name(target.name + rest)
            shutil.copyfile(part, copied)
            copied.chmod(0o600)


def _set_aside(path: Path, aside: Path) -> None:
    """Give the damaged file its new name, and what belongs to it; *path* stays until it is new."""
    wal = path.with_name(path.name + WAL)
    try:
        aside.hardlink_to(path)
    except OSError:  # this file system has no links
        _copy(path, aside)
    if wal.exists():  # SQLite would play it into the new file
        wal.rename(aside.with_name(aside.name + WAL))
    path.with_name(path.name + SHM).unlink(missing_ok=True)


def _rescued(path: Path, copy: Path, draft: Path, *, aside: Path) -> Salvaged:
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL, 0o600))
    with closing(_opened(copy, path)) as damaged, closing(connect(draft)) as fresh:
        known = version_of(damaged)
        refuse_newer(known, path)
        if not damage(damaged):
            raise Refused(f"{path} is whole; there is nothing to salvage.")
        fresh.execute("PRAGMA journal_mode = WAL")
        torn = _filled(damaged, fresh, version=known)
        migrate(fresh, path)
        events, lost_events = _gaps(fresh)
        (dispatches, last) = fresh.execute(
            "SELECT count(*), coalesce(max(number), 0) FROM dispatches"
        ).fetchone()
        return Salvaged(
            damaged=aside,
            dispatches=dispatches,
            events=events,
            lost_dispatches=max(last, _last_given(damaged)) - dispatches,
            lost_events=lost_events,
            torn_rows=torn,
        )


def _opened(copy: Path, path: Path) -> sqlite3.Connection:
    try:
        connection = connect(copy)
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        raise Refused(
            f"Nothing can be read of {path}: {error}. Put a backup in its place, or move it "
            "away to begin a new history."
        ) from error
    return connection


def _filled(damaged: sqlite3.Connection, fresh: sqlite3.Connection, *, version: int) -> int:
    """Lay the schema of the damaged file and copy its rows; return how many were torn."""
    with all_or_nothing(fresh):
        fresh.execute("BEGIN IMMEDIATE")
        apply(fresh, SCHEMA[:version])
        triggers = fresh.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        held = [(row["name"], row["sql"]) for row in triggers]
        for name, _ in held:  # they would make rows that are copied, too
            fresh.execute(f"DROP TRIGGER {name}")
        torn = sum(_copied(damaged, fresh, table) for table in _tables(fresh))
        for _, sql in held:
            fresh.execute(sql)
        fresh.execute(f"PRAGMA user_version = {version}")
    return torn


def _tables(fresh: sqlite3.Connection) -> list[str]:
    found = fresh.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    names = {row["name"] for row in found}
    return [*(name for name in _ORDER if name in names), *sorted(names.difference(_ORDER))]


def _copied(damaged: sqlite3.Connection, fresh: sqlite3.Connection, table: str) -> int:
    key = _key(fresh, table)
    columns = [row["name"] for row in fresh.execute(f"PRAGMA table_info({table})")]
    columns = [*dict.fromkeys([*key, *columns])]
    listed, places = ", ".join(columns), ", ".join("?" * len(columns))
    insert = f"INSERT INTO {table} ({listed}) VALUES ({places})"  # noqa: S608  our own names
    dispatches = [row["id"] for row in fresh.execute("SELECT id FROM dispatches ORDER BY number")]
    torn = 0
    select = f"SELECT {listed} FROM {table}"  # noqa: S608  our own names
    for row in _rows(damaged, table, select, key, dispatches):
        try:
            fresh.execute(insert, tuple(row))
        except sqlite3.IntegrityError as error:
            torn += error.sqlite_errorcode not in _HELD_ALREADY
    return torn


def _key(fresh: sqlite3.Connection, table: str) -> list[str]:
    """Name the columns of a table's primary key; its row number where there is none."""
    about = fresh.execute(f"PRAGMA table_info({table})")
    key = sorted((row["pk"], row["name"]) for row in about if row["pk"])
    return [name for _, name in key] or ["rowid"]


def _rows(
    damaged: sqlite3.Connection,
    table: str,
    select: str,
    key: Sequence[str],
    dispatches: Iterable[str],
) -> Generator[sqlite3.Row]:
    """Read a table whole, else from both ends, and by dispatch; some rows come several times."""
    forward = f"ORDER BY {', '.join(key)}"
    backward = f"ORDER BY {', '.join(f'{name} DESC' for name in key)}"
    if (yield from _read(damaged, f"{select} {forward}")):
        return
    yield from _read(damaged, f"{select} {backward}")
    if table == _ROOT:
        for number in range(1, _last_given(damaged) + 1):
            yield from _read(damaged, f"{select} WHERE number = ?", number)
    if _OF_A_DISPATCH in key:
        for dispatch in dispatches:
            for order in (forward, backward):
                yield from _read(damaged, f"{select} WHERE dispatch = ? {order}", dispatch)


def _read(
    damaged: sqlite3.Connection, query: str, *values: object
) -> Generator[sqlite3.Row, None, bool]:
    """Yield rows up to the first that cannot be read; return whether that was all of them."""
    try:
        yield from damaged.execute(query, values)
    except sqlite3.DatabaseError:
        return False
    return True


def _last_given(damaged: sqlite3.Connection) -> int:
    """Return the number of the newest dispatch that there ever was, as far as it can be read."""
    for query in (
        "SELECT seq FROM sqlite_sequence WHERE name = 'dispatches'",
        "SELECT max(number) FROM dispatches",
    ):
        for row in _read(damaged, query):
            if isinstance(row[0], int):
                return row[0]
    return 0


def _gaps(fresh: sqlite3.Connection) -> tuple[int, int]:
    """Count the events, and those whose numbers are missing before the last of their dispatch."""
    row = fresh.execute(
        "SELECT coalesce(sum(held), 0), coalesce(sum(last - held), 0) FROM "
        "(SELECT count(*) AS held, max(number) AS last FROM events GROUP BY dispatch)"
    ).fetchone()
    return row[0], row[1]
