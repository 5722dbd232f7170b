"""Rows to records, by name; JSON and enumerations are the only translation.

A record takes the columns that it knows. So a runner goes on working when a newer version adds a
column under its feet.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import fields
from functools import cache
from typing import Any, TypeVar

from kimi_mcp.history.records import (
    Attempt,
    Change,
    Check,
    Dispatch,
    DispatchOverview,
    Event,
    Finding,
    FindingKind,
    Rerun,
    Run,
    Task,
)
from kimi_mcp.lifecycle import DispatchState, Outcome, TaskState

AnyRecord = TypeVar(
    "AnyRecord", Dispatch, DispatchOverview, Run, Task, Attempt, Check, Change, Finding, Event
)


def record_of(kind: type[AnyRecord], row: sqlite3.Row) -> AnyRecord:
    """Make a record of *kind* from *row*."""
    translations = _TRANSLATIONS.get(kind, {})
    values = {name: row[name] for name in _field_names(kind)}
    for column, translate in translations.items():
        values[column] = translate(values[column])
    return kind(**values)


@cache
def _field_names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(json.loads(text))


def _optional(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def _end(text: str | None) -> DispatchState | None:
    return None if text is None else DispatchState(text)


def _outcome(text: str | None) -> Outcome | None:
    return None if text is None else Outcome(text)


def _rerun(text: str | None) -> Rerun | None:
    return None if text is None else Rerun(text)


_TRANSLATIONS: Mapping[type[Any], Mapping[str, Callable[[Any], Any]]] = {
    Dispatch: {"state": DispatchState, "orders": json.loads, "errand": _optional},
    DispatchOverview: {"state": DispatchState},
    Run: {"state": _end},
    Task: {
        "state": TaskState,
        "depends_on": _numbers,
        "outcome": _outcome,
        "is_checked": bool,
        "amendments": json.loads,
        "forecast": _optional,
    },
    Attempt: {"outcome": _outcome},
    Check: {"is_timed_out": bool, "again": _rerun, "on_base": _rerun},
    Finding: {"kind": FindingKind},
    Event: {"payload": json.loads},
}
