"""What was spent, when and on whose account: counted from the events, which nothing changes.

A step's event has the moment at which it was seen; steps that were found out later count from when
they were found. An account is a fingerprint; None stands for dispatches whose account is not known.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Requests to the model: those that are certain, and those that may have been beyond them."""

    steps: int
    possible: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaStop:
    """Kimi said that the quota was gone."""

    at: str
    dispatch: DispatchId
    #: In the provider's words.
    quote: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Worked:
    """A task that was begun, with what it took."""

    dispatch: DispatchId
    task: int
    repository: str
    profile: str
    #: Of the spec's lint, at dispatch; None where that was not counted.
    findings: int | None
    is_delivered: bool
    #: What was known and expected of the task; None where nothing was written down.
    forecast: Mapping[str, Any] | None
    steps: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    #: Seconds that its attempts took.
    worked_s: float


class Spending(Store):
    """Answers what accounts have spent, in steps, and what past tasks have cost."""

    __slots__ = ()

    def spent(self, account: str | None, *, since: str) -> Spent:
        """Add up what an account has spent after the moment *since*."""
        with self.reading() as unit:
            row = unit.run("spent_since", account=account, since=since).fetchone()
            return Spent(steps=row["steps"], possible=row["possible"])

    def spent_by_hour(self, account: str | None, *, since: str) -> Mapping[str, int]:
        """Return the steps of each hour that has any, by `2026-01-02T03`."""
        with self.reading() as unit:
            rows = unit.run("spent_by_hour", account=account, since=since)
            return {row["hour"]: row["steps"] for row in rows}

    def accounts(self) -> tuple[str | None, ...]:
        """Return every account that anything was dispatched on, the latest first."""
        with self.reading() as unit:
            return tuple(row["account"] for row in unit.run("accounts"))

    def last_quota_stop(self, account: str | None) -> QuotaStop | None:
        """Return the latest time that Kimi said of an account that its quota was gone."""
        with self.reading() as unit:
            row = unit.run("last_quota_stop", account=account).fetchone()
            if row is None:
                return None
            return QuotaStop(at=row["ended_at"], dispatch=row["dispatch"], quote=row["quote"])

    def last_step(self, account: str | None) -> str | None:
        """Return when an account's latest step was seen whose attempt did not end for its quota."""
        with self.reading() as unit:
            row = unit.run("last_good_attempt", account=account).fetchone()
            return None if row is None else row["ended_at"]

    def worked(self, *, since: str = "", limit: int = 500) -> tuple[Worked, ...]:
        """Return the newest tasks that were begun after *since* and are over, newest first."""
        with self.reading() as unit:
            return tuple(
                Worked(
                    dispatch=row["dispatch"],
                    task=row["number"],
                    repository=row["repository"],
                    profile=row["profile"],
                    findings=row["findings"],
                    is_delivered=row["state"] == "delivered",
                    forecast=None if row["forecast"] is None else json.loads(row["forecast"]),
                    steps=row["steps"],
                    input_tokens=row["input_tokens"],
                    cached_tokens=row["cached_tokens"],
                    output_tokens=row["output_tokens"],
                    worked_s=row["worked_s"],
                )
                for row in unit.run("worked_tasks", since=since, limit=limit)
            )

    def note_reply(self, tool: str, chars: int, *, at: str) -> None:
        """Write down how long a reply to the orchestrator was."""
        with self.writing() as unit:
            unit.run("insert_reply", tool=tool, chars=chars, at=at)

    def replied(self, *, since: str) -> tuple[int, int]:
        """Return how many replies were given after *since*, and their characters."""
        with self.reading() as unit:
            row = unit.run("replied_since", since=since).fetchone()
            return row["replies"], row["chars"]
