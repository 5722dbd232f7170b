"""What a runner writes down of an attempt, in few words."""

from typing import Any

from kimi_mcp.dispatch.events import Started, TaskEvent, encode
from kimi_mcp.history import DispatchId, History
from kimi_mcp.history.turns import Address, Told
from unwritten import BASE


def attempt_at(dispatch: str, task: int = 1, attempt: int = 1) -> Address:
    """Name an attempt; the first one at the first task when not told otherwise."""
    return Address(dispatch=DispatchId(dispatch), task=task, attempt=attempt)


def told(kind: str, at: str, **payload: Any) -> Told:
    """Make an event of any kind."""
    return Told(kind=kind, payload=payload, at=at)


def told_of(event: TaskEvent, at: str) -> Told:
    """Make an event that readers understand."""
    kind, payload = encode(event)
    return Told(kind=kind, payload=payload, at=at)


def begun(
    history: History, address: Address, at: str, *, base: str = BASE, feedback: str | None = None
) -> Address:
    """Let a task that waits begin its next attempt, and tell of it; return its address."""
    started = told_of(Started(base=base), at)
    assert history.begin_turn(address, started, base_commit=base, feedback=feedback)
    return address
