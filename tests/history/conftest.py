"""A fresh history, and the rows most tests begin with."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kimi_mcp.history import DispatchId, History, new_dispatch_id
from kimi_mcp.history.records import NewTask
from unwritten import new_dispatch

NOON = "2026-01-02T12:00:00.000Z"


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History.open(tmp_path / "history.db")


@pytest.fixture(scope="session")
def add() -> Callable[..., DispatchId]:
    """Return the function that writes a queued dispatch of three tasks down."""
    return _add


@pytest.fixture
def queued(history: History) -> DispatchId:
    return _add(history)


def _add(
    history: History,
    *,
    token: str = "7k3f",
    repository: str = "/repo",
    spec_hash: str = "abc",
    session: str | None = None,
) -> DispatchId:
    id_ = new_dispatch_id(1, "add-login", token)
    history.add(
        new_dispatch(
            id_,
            Path(repository),
            spec_path="specs/001-add-login.md",
            spec_title="Add login",
            spec_text="# Spec: 001 -- Add login\n",
            spec_hash=spec_hash,
            orders={"steps": 100, "setup": ["true"]},
            session=session,
            tasks=(
                NewTask(number=1, title="Model"),
                NewTask(number=2, title="View"),
                NewTask(number=3, title="Join", depends_on=(1, 2)),
            ),
        ),
        at=NOON,
    )
    return id_
