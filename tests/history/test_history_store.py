import re
import sqlite3
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from kimi_mcp.errors import StoreUnusable
from kimi_mcp.history import DispatchId, History
from kimi_mcp.history.migrations import SCHEMA
from kimi_mcp.history.queries import QUERIES
from kimi_mcp.lifecycle import DispatchState, Outcome, TaskState
from patience import PATIENCE_S


def raw(history: History) -> sqlite3.Connection:
    return sqlite3.connect(history.path, isolation_level=None)


def test_the_file_is_readable_by_its_owner_only(history: History):
    assert stat.S_IMODE(history.path.stat().st_mode) == 0o600


def test_nothing_but_the_file_and_its_lock_is_left_after_making_it(history: History):
    names = {file.name for file in history.path.parent.glob("*history.db*")}

    assert names - {"history.db.lock"} == {"history.db"}


def test_the_file_writes_ahead(history: History):
    with closing(raw(history)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_opening_again_changes_nothing(queued: DispatchId, history: History):
    again = History.open(history.path)

    assert again.dispatch(queued) == history.dispatch(queued)


def test_a_newer_database_is_refused(history: History):
    with closing(raw(history)) as connection:
        connection.execute(f"PRAGMA user_version = {len(SCHEMA) + 1}")

    with pytest.raises(StoreUnusable, match="newer kimi-mcp"):
        History.open(history.path)


def test_a_file_that_is_no_database_is_refused_with_its_name(tmp_path: Path):
    path = tmp_path / "history.db"
    path.write_bytes(b"this is a letter, not a database; " * 50)

    with pytest.raises(StoreUnusable, match=r"history\.db cannot be used"):
        History.open(path)


def test_a_database_of_somebody_else_is_refused_and_left_alone(tmp_path: Path):
    path = tmp_path / "history.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE events (colour TEXT)")

    with pytest.raises(StoreUnusable):
        History.open(path)

    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master").fetchall()
    assert tables == [("events",)]


def test_a_history_that_was_removed_is_not_made_again_in_silence(history: History):
    history.path.unlink()

    with pytest.raises(StoreUnusable):
        history.live()
    assert not history.path.exists()


def test_an_empty_file_becomes_a_history(tmp_path: Path):
    path = tmp_path / "history.db"
    path.touch()

    assert History.open(path).live() == ()


def test_many_may_open_a_missing_file_at_once_and_lose_nothing(
    tmp_path: Path, add: Callable[..., DispatchId]
):
    path = tmp_path / "history.db"
    gate = threading.Barrier(8)

    def open_and_add(number: int) -> DispatchId:
        gate.wait(PATIENCE_S)
        return add(History.open(path), token=f"{number:04d}", spec_hash=str(number))

    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(open_and_add, range(8)))

    assert sorted(dispatch.id for dispatch in History.open(path).live()) == added


def test_every_statement_fits_the_schema(history: History):
    with closing(raw(history)) as connection:
        for statement in QUERIES.values():
            values = dict.fromkeys(re.findall(r":(\w+)", statement))
            connection.execute(f"EXPLAIN {statement}", values)


def test_every_statement_is_used():
    room = Path(__file__).parents[2] / "kimi_mcp" / "history"
    code = "".join(file.read_text(encoding="utf-8") for file in room.glob("*.py"))

    assert {name for name in QUERIES if f'"{name}"' not in code} == set()


def test_the_schema_knows_exactly_the_states_and_outcomes_of_the_lifecycle(history: History):
    with closing(raw(history)) as connection:
        tables = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE type='table'"))

    dispatches = tables["dispatches"].partition("state IN (")[2]
    tasks = tables["tasks"].partition("state IN (")[2]
    outcomes = tables["tasks"].partition("outcome IN (")[2]
    assert _quoted(dispatches) == set(DispatchState)
    assert _quoted(tasks) == set(TaskState)
    assert _quoted(outcomes) == set(Outcome)


def test_a_runner_goes_on_when_a_newer_version_adds_a_column(queued: DispatchId, history: History):
    with closing(raw(history)) as connection:
        connection.execute("ALTER TABLE dispatches ADD COLUMN colour TEXT")
        connection.execute("ALTER TABLE tasks ADD COLUMN colour TEXT")

    assert history.dispatch(queued).id == queued
    assert len(history.tasks(queued)) == 3


def _quoted(text: str) -> set[str]:
    """The quoted words up to the parenthesis that ends the list."""
    lines = (line.partition("--")[0] for line in text.splitlines())
    body = " ".join(lines).partition(")")[0]
    return set(body.replace("'", "").replace(",", " ").split())
