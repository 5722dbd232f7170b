"""A dispatch to be written down, for tests that need a row and no work."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.records import NewDispatch, NewTask

BASE = "b" * 40

_ORDINARY = NewDispatch(
    id=DispatchId("001-work-7k3f"),
    repository="/repo",
    git_dir="/repo/.git",
    spec_number=1,
    spec_path="specs/001-work.md",
    spec_title="Work",
    spec_text="# Spec: 001 -- Work\n",
    spec_hash="abc",
    base_commit=BASE,
    base_branch="main",
    profile="moderato",
    orders={},
    session=None,
    tasks=(NewTask(number=1, title="One"),),
)


def new_dispatch(id_: DispatchId, root: Path | None = None, **otherwise: Any) -> NewDispatch:
    """Make an ordinary dispatch of one task, in the repository at *root*, with some things else.

    Each has a spec of its own, as far as the hash tells.
    """
    place = {} if root is None else {"repository": str(root), "git_dir": str(root / ".git")}
    return replace(_ORDINARY, **{"id": id_, "spec_hash": id_, **place, **otherwise})
