"""A damaged history is found, never replaced in silence, and salvaged by copy."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from damage import leaves, tear
from kimi_mcp.errors import Refused, StoreUnusable
from kimi_mcp.history import DispatchId, History
from kimi_mcp.history.migrations import SCHEMA, apply
from kimi_mcp.history.salvage import Salvaged, salvage
from long_history import lengthen
from turning import attempt_at, told

NOON = "2026-01-02T12:00:00.000Z"
STAMP = "20260102T120000Z"
EVENTS = 600
ON_A_PAGE = 40  # events, at most

Add = Callable[..., DispatchId]


@pytest.fixture
def filled(history: History) -> History:
    """Twenty dispatches with events on several pages."""
    lengthen(history.path, dispatches=20, events=EVENTS // 20)
    return history


def rows(path: Path, table: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return sorted(connection.execute(f"SELECT * FROM {table}"), key=repr)


def salvaged(history: History) -> Salvaged:
    return salvage(history.path, stamp=STAMP)


def test_a_whole_history_has_no_damage_and_is_not_salvaged(filled: History):
    before = filled.path.read_bytes()

    assert filled.damage() == ()
    with pytest.raises(Refused, match="is whole"):
        salvaged(filled)
    assert filled.path.read_bytes() == before


def test_damage_is_found_by_looking_and_met_by_reading_with_the_way_out(filled: History):
    tear(filled.path, *leaves(filled.path, "events"))

    assert filled.damage() != ()
    with pytest.raises(StoreUnusable, match=r"is damaged .* `kimi-mcp history --salvage`"):
        filled.events(DispatchId("001-long-0007"))


@pytest.mark.parametrize("torn", [0, -1, 10])
def test_a_torn_page_costs_what_lay_on_it_and_no_more(filled: History, torn: int):
    whole = {
        table: rows(filled.path, table)
        for table in ("dispatches", "tasks", "attempts", "runs", "events")
    }
    page = leaves(filled.path, "events")[torn]
    damaged = tear(filled.path, page)

    found = salvaged(filled)

    assert found.damaged.read_bytes() == damaged
    assert History.open(filled.path).damage() == ()
    events = rows(filled.path, "events")
    assert EVENTS - ON_A_PAGE <= len(events) < EVENTS
    assert set(events) < set(whole.pop("events"))
    assert {table: rows(filled.path, table) for table in whole} == whole
    assert (found.dispatches, found.events, found.lost_dispatches) == (20, len(events), 0)
    lost = EVENTS - len(events)
    assert found.lost_events <= lost  # an end that is lost leaves no gap
    assert found.lost_events > 0 or torn in {0, -1}
    assert found.torn_rows == 0


def test_what_refers_to_a_lost_dispatch_goes_with_it_and_is_counted(filled: History):
    pages = leaves(filled.path, "dispatches")
    tear(filled.path, pages[1])

    found = salvaged(filled)

    assert 0 < found.lost_dispatches < 20
    assert found.dispatches == 20 - found.lost_dispatches
    assert found.torn_rows >= found.lost_dispatches * (1 + 1 + EVENTS // 20)
    history = History.open(filled.path)
    assert len(history.recent(limit=100)) == found.dispatches
    with closing(sqlite3.connect(filled.path)) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_salvaged_history_goes_on(filled: History, add: Add):
    tear(filled.path, leaves(filled.path, "events")[3])
    salvaged(filled)

    history = History.open(filled.path)
    new = add(history, token="new1", spec_hash="new")

    assert history.run(new) is not None
    history.tell(attempt_at(new), told("x", NOON))
    assert [event.number for event in history.events(new)] == [1]
    with closing(sqlite3.connect(history.path)) as raw, pytest.raises(sqlite3.IntegrityError):
        raw.execute("DELETE FROM events")


def test_what_was_not_folded_into_the_file_yet_is_salvaged_too(filled: History, add: Add):
    with filled.watch():  # keeps the write-ahead log from being folded in
        new = add(filled, token="wal1", spec_hash="wal")
        assert filled.path.with_name("history.db-wal").stat().st_size
        tear(filled.path, leaves(filled.path, "events")[3])

        found = salvaged(filled)

    assert History.open(filled.path).dispatch(new).id == new
    assert found.damaged.with_name(found.damaged.name + "-wal").stat().st_size


def test_an_old_damaged_file_is_brought_up_to_date_by_it(tmp_path: Path):
    path = tmp_path / "history.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        apply(connection, SCHEMA[:4])
        connection.execute("PRAGMA user_version = 4")
        for number in range(1, 21):
            connection.execute(
                "INSERT INTO dispatches (id, repository, git_dir, spec_number, spec_path, "
                "spec_title, spec_text, spec_hash, base_commit, profile, orders, created_at) "
                "VALUES (?, '/r', '/r/.git', 1, 's.md', 't', ?, ?, 'b', 'moderato', '{}', ?)",
                (f"001-x-{number:04d}", "x" * 1500, str(number), NOON),
            )
        connection.execute("COMMIT")
    tear(path, leaves(path, "dispatches")[2])

    found = salvage(path, stamp=STAMP)

    history = History.open(path)
    assert 0 < found.lost_dispatches < 5
    assert all(history.run(one.id) for one in history.recent(limit=100))


def test_a_file_of_which_nothing_can_be_read_is_left_where_it_is(filled: History):
    damaged = tear(filled.path, 1)

    with pytest.raises(StoreUnusable, match="Put a backup in its place"):
        filled.live()
    with pytest.raises(Refused, match="Nothing can be read"):
        salvaged(filled)

    assert filled.path.read_bytes() == damaged
    assert [*filled.path.parent.glob("*damaged*")] == []


def test_a_newer_damaged_file_is_left_to_the_newer_program(filled: History):
    with closing(sqlite3.connect(filled.path)) as connection:
        connection.execute(f"PRAGMA user_version = {len(SCHEMA) + 1}")
    damaged = tear(filled.path, leaves(filled.path, "events")[3])

    with pytest.raises(StoreUnusable, match="newer kimi-mcp"):
        salvaged(filled)

    assert filled.path.read_bytes() == damaged


def test_a_missing_history_is_refused(history: History):
    gone = replace(history, path=history.path.with_name("gone.db"))

    with pytest.raises(Refused, match="There is no history"):
        salvaged(gone)
