import sqlite3
from contextlib import closing

from kimi_mcp.history import DispatchId, History
from kimi_mcp.history.landings import How, Landing

NOON = "2026-01-02T12:00:00.000Z"


def test_landings_are_remembered_in_order_and_as_they_were(queued: DispatchId, history: History):
    squash = Landing(
        how=How.SQUASH,
        tasks=(1, 2),
        is_whole=False,
        head="a" * 40,
        target="main",
        result="b" * 40,
        at=NOON,
    )
    discard = Landing(how=How.DISCARD, tasks=(1, 2, 3), is_whole=True, at=NOON)

    history.record_landing(queued, squash)
    history.record_landing(queued, discard)

    assert history.landings(queued) == (squash, discard)


def test_the_schema_knows_exactly_the_ways_to_land(history: History):
    with closing(sqlite3.connect(history.path)) as connection:
        (sql,) = connection.execute(
            "SELECT sql FROM sqlite_master WHERE name = 'landings'"
        ).fetchone()

    listed = sql.partition("how IN (")[2].partition(")")[0]
    assert {word.strip(" '") for word in listed.split(",")} == set(How)
