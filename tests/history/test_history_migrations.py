"""From every schema that was ever released to this one: nothing is lost, nothing is left behind."""

import hashlib
import sqlite3
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from released import SCRIPTS, released

from kimi_mcp.errors import StoreUnusable
from kimi_mcp.history import DispatchId, History
from kimi_mcp.history.migrations import SCHEMA
from kimi_mcp.lifecycle import DispatchState, Outcome, TaskState

ONE = "2026-01-02T13:00:00.000Z"

Rows = Mapping[str, list[dict[str, Any]]]
VERSIONS = range(1, len(SCHEMA) + 1)


def rows(path: Path) -> Rows:
    """Read every table, each row by the names of its columns."""
    with closing(sqlite3.connect(path)) as connection:
        connection.row_factory = sqlite3.Row
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ).fetchall()
        return {
            name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")]
            for (name,) in tables
        }


def schema(path: Path) -> set[tuple[str, str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        return set(connection.execute("SELECT type, name, sql FROM sqlite_master"))


def test_a_released_script_never_changes() -> None:
    digests = {
        number: hashlib.sha256(script.encode()).hexdigest()[:8]
        for number, script in enumerate(SCHEMA, start=1)
    }

    assert digests == SCRIPTS, "files made by a released script are out there: add another one"


@pytest.mark.parametrize("version", VERSIONS)
def test_every_row_of_every_released_schema_is_kept(tmp_path: Path, version: int) -> None:
    path = tmp_path / "history.db"
    released(path, version)
    before = rows(path)

    history = History.open(path)

    after = rows(path)
    for table, held in before.items():
        now = [{name: row[name] for name in held[0]} for row in after[table]] if held else []
        assert now == held, table
    assert history.damage() == ()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA user_version").fetchone() == (len(SCHEMA),)


@pytest.mark.parametrize("version", VERSIONS)
def test_an_old_history_becomes_what_a_new_one_is(tmp_path: Path, version: int) -> None:
    released(tmp_path / "old.db", version)

    History.open(tmp_path / "old.db")
    History.open(tmp_path / "new.db")

    assert schema(tmp_path / "old.db") == schema(tmp_path / "new.db")


@pytest.mark.parametrize("version", VERSIONS)
def test_the_work_of_an_old_history_goes_on(tmp_path: Path, version: int) -> None:
    path = tmp_path / "history.db"
    released(path, version)

    history = History.open(path)

    over, live = DispatchId("001-over-aaaa"), DispatchId("002-live-bbbb")
    assert [one.id for one in history.recent(limit=9)] == [live, over]
    assert [one.outcome for one in history.tasks(over)] == [None, Outcome.NO_CHANGE]
    assert history.task(over, 1).steps == 3
    assert [event.kind for event in history.events(over)] == ["task.step", "task.ended"]
    spent = history.spent("me" if version >= 8 else None, since="2026")
    assert spent.steps == (3 if version >= 9 else 1)
    assert history.move_task(live, 1, source=TaskState.RUNNING, target=TaskState.CANCELLED, at=ONE)
    assert history.move_dispatch(
        live, source=DispatchState.RUNNING, target=DispatchState.CANCELLED, at=ONE
    )
    assert history.runs(live)[-1].state is DispatchState.CANCELLED
    assert history.reopen(live, errand={}, tasks=(1,), amendments={}, at=ONE) == f"{live}.r1"


def test_many_processes_bring_one_file_up_to_date_once(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    released(path, 1)

    with ThreadPoolExecutor(8) as pool:
        opened = [*pool.map(History.open, [path] * 8)]

    assert [len(history.recent(limit=9)) for history in opened] == [2] * 8


def test_a_newer_history_is_refused_with_the_way_on_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    released(path, len(SCHEMA))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(SCHEMA) + 1}")
    before = path.read_bytes()

    with pytest.raises(StoreUnusable) as refusal:
        History.open(path)

    assert str(refusal.value) == (
        f"The history {path} was written by a newer kimi-mcp (its schema is {len(SCHEMA) + 1}, "
        f"this one knows {len(SCHEMA)}). Upgrade this kimi-mcp, or set KIMI_MCP_HOME to another "
        "folder."
    )
    assert path.read_bytes() == before


def test_a_migration_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "history.db"
    released(path, 2)
    before = rows(path)
    broken = (*SCHEMA[:4], "CREATE TABLE dispatches (x);\n")
    monkeypatch.setattr("kimi_mcp.history.migrations.SCHEMA", broken)

    with pytest.raises(StoreUnusable):
        History.open(path)

    assert rows(path) == before
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (2,)
