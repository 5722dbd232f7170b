"""Damage to a SQLite file, page by page."""

import sqlite3
from contextlib import closing
from pathlib import Path

PAGE = 4096


def leaves(path: Path, table: str) -> list[int]:
    """Name the pages that hold a table's rows, by number."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(
            "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf'", (table,)
        )
        return [row[0] for row in found]


def tear(path: Path, *pages: int) -> bytes:
    """Overwrite pages with nonsense; return the whole file as it is then."""
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * PAGE)
            file.write(b"\xa5" * PAGE)
    return path.read_bytes()
