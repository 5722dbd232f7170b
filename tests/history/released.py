"""Histories as released versions have left them: their schema, and rows that only they could write.

`released/NNNN.sql` holds what version N wrote and the one before could not, so what a later version
finds in an old file is what stood there.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from kimi_mcp.history.migrations import SCHEMA, apply

#: The first eight hexadecimal digits of each released script's SHA-256.
SCRIPTS: Mapping[int, str] = {
    1: "0c4816f0",
    2: "66753791",
    3: "980d8104",
    4: "ac7b248b",
    5: "6805fd82",
    6: "c506c642",
    7: "45b9faa3",
    8: "68ee7180",
    9: "68812853",
    10: "bddfcf8e",
    11: "a1a8dc57",
}


def written_by(version: int) -> str:
    """Return the statements by which *version* filled what it had brought."""
    folder = Path(__file__).with_name("released")
    return folder.joinpath(f"{version:04}.sql").read_text(encoding="utf-8")


def released(path: Path, version: int) -> None:
    """Make the history that *version* would have left at *path*."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        for number in range(1, version + 1):
            connection.execute("BEGIN")
            apply(connection, (SCHEMA[number - 1], written_by(number)))
            connection.execute(f"PRAGMA user_version = {number}")
            connection.execute("COMMIT")
