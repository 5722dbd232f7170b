"""What is asked of a history takes the same work however long the history is.

No clock is needed for that: SQLite says how it will look for an answer, and counts the instructions
of its own machine.
"""

import re
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from kimi_mcp.history import History
from kimi_mcp.history.queries import QUERIES
from kimi_mcp.history.store import connect
from long_history import FIRST, lengthen

TICK = 10  # instructions between two counts
SHORT, LONG = 60, 2400  # dispatches
LAST = "001-long-003b"  # the newest of the short history is in both

#: Tables or aliases that a statement reads without a key: a page of them in their order, or few.
SCANNED = {
    "insert_dispatch": {"past_steps"},  # a foreign key's look, only where one is broken already
    "live_dispatches": {"dispatches"},  # by an index of the live ones
    "ids_like": {"dispatches"},  # by an index of the ids alone, up to the limit
    "worked_tasks": {"d"},
    "last_quota_stop": {"a"},  # by an index of the stops alone
    "accounts": {"known"},  # one row an account
    "known_files": {"known_files"},
}
#: Everything that a list, a result or an admission asks, with what it asks for.
ASKED = {
    "dispatch": {"dispatch": LAST},
    "spec_text": {"dispatch": LAST},
    "tasks": {"dispatch": LAST, "number": None},
    "attempts": {"dispatch": LAST, "task": 1},
    "checks": {"dispatch": LAST, "task": 1, "attempt": 1},
    "changes": {"dispatch": LAST, "task": 1, "attempt": 1},
    "findings": {"dispatch": LAST, "task": 1, "attempt": 1},
    "events": {"dispatch": LAST, "after": 0, "task": 1, "limit": -1},
    "last_event": {"dispatch": LAST},
    "runs": {"dispatch": LAST},
    "landings": {"dispatch": LAST},
    "recent_dispatches": {"before": LAST, "limit": 50},
    "recent_of_repository": {"repository": "/another", "before": None, "limit": 1},
    "latest_of_session": {"session": "another"},
    "overview": {"before": LAST, "limit": 50, "repository": None, "state": None, "since": None},
    "live_dispatches": {"repository": None},
    "live_dispatch_of_spec": {"repository": "/repo", "spec_hash": "another"},
    "latest_of_spec": {"repository": "/repo", "spec_path": "specs/001-long.md", "spec_hash": None},
    "ids_like": {"word": "", "limit": 20},
    "spent_since": {"account": "me", "since": "2025-12-01"},
    "spent_by_hour": {"account": "me", "since": "2025-12-01"},
    "accounts": {},
    "last_quota_stop": {"account": "me"},
    "last_good_attempt": {"account": "me"},
    "worked_tasks": {"since": "", "limit": 50},
    "whole_dispatches": {"after": "", "number": 0, "until": "2025-01-02", "limit": 100},
}


@pytest.fixture(scope="module")
def histories(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    made: list[Path] = []
    for size in (SHORT, LONG):
        path = tmp_path_factory.mktemp("scale") / "history.db"
        History.open(path)
        lengthen(path, dispatches=size, events=12, first=FIRST, apart=timedelta(minutes=30))
        made.append(path)
    return made[0], made[1]


def instructions(path: Path, statement: str, values: dict[str, object]) -> int:
    """Count what SQLite's machine does to answer, in tens."""
    ticks = 0

    def tick() -> int:
        nonlocal ticks
        ticks += 1
        return 0

    with closing(connect(path)) as connection:
        connection.execute("SELECT 1 FROM dispatches").fetchone()
        connection.set_progress_handler(tick, TICK)
        connection.execute(statement, values).fetchall()
    return ticks


def test_no_statement_reads_a_table_through_but_for_a_page_of_it(
    histories: tuple[Path, Path],
) -> None:
    scanned: dict[str, set[str]] = {}
    for name, statement in QUERIES.items():
        values = dict.fromkeys(re.findall(r":(\w+)", statement))
        with closing(connect(histories[1])) as connection:
            steps = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
        found = {
            word for row in steps for word in re.findall(r"^SCAN (?!CONSTANT)(\w+)", row["detail"])
        }
        if found - {"CONSTANT"}:
            scanned[name] = found

    assert scanned == SCANNED


def test_pages_are_read_in_the_order_of_an_index() -> None:
    few = {"accounts", "known_files", "live_dispatches", "insert_dispatch"}
    for name in {*SCANNED, "recent_dispatches", "recent_of_repository", "overview"} - few:
        assert "LIMIT" in QUERIES[name], name


@pytest.mark.parametrize("name", ASKED)
def test_the_work_of_an_answer_is_that_of_what_it_tells(
    histories: tuple[Path, Path], name: str
) -> None:
    short, long = (instructions(path, QUERIES[name], {**ASKED[name]}) for path in histories)

    assert long <= short * 1.1 + 2, (short, long)


def test_every_statement_that_only_reads_is_among_them() -> None:
    reads = {name for name, text in QUERIES.items() if text.startswith("--") and "SELECT" in text}
    changing = re.compile(r"^(INSERT|UPDATE|DELETE)", re.MULTILINE)
    reading = {name for name in reads if not changing.search(QUERIES[name])}

    small = {
        "run",
        "cancelled_tasks",
        "unfinished_attempts",
        "known_file",
        "known_files",
        "replied_since",
    }
    assert reading == ASKED.keys() | small
