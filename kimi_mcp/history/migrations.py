"""The schema's versions, and the way from each to the newest.

`user_version` is the record of the schema and changes in the same transaction. A script that was
released never changes again: files that it made are out there.
"""

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from kimi_mcp.errors import StoreUnusable


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the schema up to date: all of it, or nothing has changed. *path* is for the message.

    Raises:
        StoreUnusable: a newer version has written the file.
    """
    if version(connection) == len(SCHEMA):
        return
    with all_or_nothing(connection):
        connection.execute("BEGIN IMMEDIATE")
        found = version(connection)  # again: now nobody else can change it
        refuse_newer(found, path)
        apply(connection, SCHEMA[found:])
        connection.execute(f"PRAGMA user_version = {len(SCHEMA)}")


def refuse_newer(found: int, path: Path) -> None:
    """Refuse a file whose schema is version *found*, if this program is older.

    Raises:
        StoreUnusable: it is; the message says what now.
    """
    if found > len(SCHEMA):
        raise StoreUnusable(
            f"The history {path} was written by a newer kimi-mcp (its schema is {found}, this "
            f"one knows {len(SCHEMA)}). Upgrade this kimi-mcp, or set KIMI_MCP_HOME to "
            "another folder."
        )


def apply(connection: sqlite3.Connection, scripts: tuple[str, ...]) -> None:
    """Run *scripts* within the caller's transaction."""
    for script in scripts:
        for statement in _statements(script):
            connection.execute(statement)


def version(connection: sqlite3.Connection) -> int:
    """Read the schema's version; 0 of a file without any."""
    return connection.execute("PRAGMA user_version").fetchone()[0]


@contextmanager
def all_or_nothing(connection: sqlite3.Connection) -> Generator[None]:
    """Commit what the block has begun, or undo it."""
    try:
        yield
        if connection.in_transaction:
            connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def _statements(script: str) -> Generator[str]:
    """Split at the semicolons that end a statement; `executescript` would commit on its own."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""


def _schema() -> tuple[str, ...]:
    folder = resources.files("kimi_mcp.history").joinpath("schema")
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return tuple(file.read_text(encoding="utf-8") for file in files if file.name.endswith(".sql"))


#: The scripts that make version 1, 2, 3 … of the schema, each upon the one before.
SCHEMA: tuple[str, ...] = _schema()
