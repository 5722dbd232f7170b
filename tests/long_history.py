"""A history of many dispatches that are over, written as rows: for scale, damage and retention."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kimi_mcp.history.times import timestamp

EVENTS_OF_A_STEP = 5
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
COMMIT = "c" * 40


def lengthen(
    path: Path,
    *,
    dispatches: int,
    events: int,
    repository: str = "/repo",
    first: datetime = FIRST,
    apart: timedelta = timedelta(minutes=20),
) -> list[str]:
    """Add *dispatches* to the history at *path*, with *events* each; return their ids, in order.

    One task each, delivered and checked, which took an event of the start, steps of five events
    and the rest of its end. One dispatch begins *apart* from the one before.
    """
    names = [f"001-long-{number:04x}" for number in range(dispatches)]
    begun = [first + apart * number for number in range(dispatches)]
    with closing(sqlite3.connect(path)) as connection, connection:
        for table, columns in _COLUMNS.items():
            places = ", ".join("?" * len(columns.split(", ")))
            rows = (
                row
                for name, moment in zip(names, begun, strict=True)
                for row in _rows(table, name, moment, events, repository)
            )
            connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({places})", rows)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return names


_COLUMNS = {
    "dispatches": "id, repository, git_dir, spec_number, spec_path, spec_title, spec_text, "
    "spec_hash, base_commit, profile, orders, account, state, created_at, started_at, ended_at, "
    "runner_pid",
    "tasks": "dispatch, number, title, depends_on, state, is_checked, branch, commit_id, "
    "started_at, ended_at",
    "attempts": "dispatch, task, attempt, base_commit, commit_id, ref, steps, input_tokens, "
    "started_at, ended_at",
    "checks": "dispatch, task, attempt, position, command, exit_code, is_timed_out, duration_ms, "
    "output_tail",
    "changes": "dispatch, task, attempt, path, status, added, deleted",
    "events": "dispatch, number, task, attempt, at, kind, payload",
}


def _rows(
    table: str, name: str, moment: datetime, events: int, repository: str
) -> Iterator[tuple[object, ...]]:
    at, end = timestamp(moment), timestamp(moment + timedelta(minutes=10))
    address = (name, 1, 1)
    match table:
        case "dispatches":
            spec = ("specs/001-long.md", "Long", "# Spec: 001 -- Long\n" * 20, name)
            state = (COMMIT, "moderato", "{}", "me", "finished", at, at, end, 1)
            yield (name, repository, f"{repository}/.git", 1, *spec, *state)
        case "tasks":
            work = (f"kimi/{name}/task-1", COMMIT)
            yield (name, 1, "Part", "[]", "delivered", 1, *work, at, end)
        case "attempts":
            ref = f"refs/kimi/{name}/task-1.a1"
            yield (*address, COMMIT, COMMIT, ref, steps_of(events), 1000, at, end)
        case "checks":
            yield (*address, 1, "pytest", 0, 0, 1200, "5 passed in 0.31s\n" * 20)
        case "changes":
            for number in range(3):
                yield (*address, f"src/part_{number}.py", "M", 10, 2)
        case _:
            for number in range(1, events + 1):
                kind, payload = _event(number, events)
                tick = timestamp(moment + timedelta(minutes=10) * number / (events + 1))
                yield (name, number, 1, 1, tick, kind, json.dumps(payload))


def steps_of(events: int) -> int:
    """Say how many steps a dispatch of so many events has."""
    return sum(_event(number, events)[1].get("tool") == "" for number in range(1, events + 1))


def _event(number: int, events: int) -> tuple[str, dict[str, object]]:
    if number == 1:
        return "task.started", {"base": COMMIT}
    if number == events:
        sentence = {"sentence": "1 of 1 checks passed.", "outcome": None, "is_cancelled": False}
        return "task.ended", {**sentence, "is_checked": True, "commit": COMMIT}
    step, part = divmod(number - 2, EVENTS_OF_A_STEP)
    target = {"tool": "Edit", "target": f"src/part_{step}.py"}
    done: list[tuple[str, dict[str, object]]] = [
        ("task.step", {"number": step + 1, "tool": "", "target": ""}),
        ("task.said", {"text": f"Now part {step}, which the spec asks for. " * 4}),
        ("task.step", {"number": step + 1, **target}),
        ("task.tool_done", {**target, "is_error": False, "duration_ms": 12}),
        ("task.spent", {"input": 1000 * step, "cached": 900 * step, "output": 100 * step}),
    ]
    return done[part]
