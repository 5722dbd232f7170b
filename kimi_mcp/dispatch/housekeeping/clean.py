"""Housekeeping: what earlier dispatches have left goes when nothing is lost by it.

Refs and branches go when they are landed or empty. Clones hold nothing that git does not: they go
with the landing, else after `keep.clones_days`; with them Kimi's sessions, so that a later revision
begins a fresh one. What is unique or foreign stays until the user discards it.
"""

import os
import shutil
from collections.abc import Callable, Container, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kimi_mcp.dispatch.housekeeping.inventory import Inventory, inventory
from kimi_mcp.dispatch.housekeeping.retention import retain
from kimi_mcp.dispatch.housekeeping.sweep import Worth, is_old, remove_clones
from kimi_mcp.dispatch.recovery import lifeline
from kimi_mcp.dispatch.recovery.reconcile import reconcile
from kimi_mcp.dispatch.repositories import prefix_of, repository_of
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import Refused
from kimi_mcp.history.records import Dispatch
from kimi_mcp.state import RunFolder
from kimi_mcp.workspace.holdings import Holding, holdings, remove
from kimi_mcp.workspace.repository import Repository

EVERYTHING = 1_000_000
COMPACTED_SHARE = 4  # a file is worth writing anew when a fourth of it is not in use


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """One ref or one folder of clones, what it is worth and what became of it."""

    dispatch: str
    kind: str  # ref or clones
    name: str
    worth: Worth
    is_removed: bool
    size_bytes: int | None = None  # on the disk; None: not measured


def _unheard(_done: int, _of: int) -> None:
    """Tell nobody."""


def clean(
    bench: Workbench, *, is_dry_run: bool, seen: Callable[[int, int], None] = _unheard
) -> tuple[Piece, ...]:
    """Remove everything that provably holds nothing of its own; tell of everything there is.

    *seen* is called after each dispatch with how many were looked at, and how many there are.
    """
    reconcile(bench)
    known = bench.history.recent(limit=EVERYTHING)
    pieces: list[Piece] = []
    for count, found in enumerate(known, start=1):
        pieces += _cleaned(bench, found, is_dry_run=is_dry_run)
        seen(count, len(known))
    names = {found.id for found in known}
    if not is_dry_run:
        _drop_unborn(bench.state.root / "runs", names)
    return (*pieces, *_foreign_folders(bench, names))


def tidy_history(bench: Workbench) -> int:
    """Take the oldest steps out of the history, as settings say; return the bytes given back."""
    keep = bench.settings().keep
    retain(
        bench.history,
        bench.state,
        now=bench.now(),
        days=keep.history_days,
        most_bytes=keep.history_bytes,
    )
    unused = bench.history.unused_bytes()
    if bench.history.live() or unused * COMPACTED_SHARE < unused + bench.history.used_bytes():
        return 0
    return bench.history.compact()


def tidy(bench: Workbench, dispatch: Dispatch) -> Inventory:
    """Remove what provably holds nothing of its own of one dispatch; return what was there."""
    repository = _repository(dispatch)
    found = _inventory(bench, dispatch, repository)
    _remove(bench, found, repository)
    return found


def _cleaned(bench: Workbench, dispatch: Dispatch, *, is_dry_run: bool) -> Iterator[Piece]:
    repository = _repository(dispatch)
    found = _inventory(bench, dispatch, repository)
    size = None if found.clones is None else _size_bytes(found.clones)
    goes, gone = _doomed(bench, found) if is_dry_run else _remove(bench, found, repository)
    for holding, worth in found.refs.items():
        yield Piece(
            dispatch=dispatch.id,
            kind="ref",
            name=holding.ref,
            worth=worth,
            is_removed=holding in gone,
        )
    if found.clones is not None:
        yield Piece(
            dispatch=dispatch.id,
            kind="clones",
            name=str(found.clones),
            worth=found.clones_worth,
            is_removed=goes,
            size_bytes=size,
        )


def _doomed(bench: Workbench, found: Inventory) -> tuple[bool, list[Holding]]:
    """Say whether the clones can go, and which refs; a branch that is checked out stays."""
    worth = found.clones_worth  # of a live dispatch it is unique
    is_due = worth is Worth.LANDED or (worth is Worth.EMPTY and _is_old(bench, found.dispatch))
    goes = found.clones is not None and is_due
    gone = [holding for holding in found.provable if not holding.checkout]
    are_clones_gone = goes or found.clones is None
    if found.pin is not None and are_clones_gone and len(gone) == len(found.refs):
        gone.append(found.pin)
    return goes, gone


def _remove(
    bench: Workbench, found: Inventory, repository: Repository | None
) -> tuple[bool, list[Holding]]:
    goes, gone = _doomed(bench, found)
    folder = bench.state.run(found.dispatch.id)
    if goes and not remove_clones(bench.history, found.dispatch, folder):
        goes, gone = False, [holding for holding in gone if holding != found.pin]
    if gone and repository is not None:
        remove(repository, gone)
    return goes, gone


def _inventory(bench: Workbench, dispatch: Dispatch, repository: Repository | None) -> Inventory:
    held = holdings(repository, prefix_of(dispatch), dispatch.id) if repository else ()
    return inventory(bench, dispatch, repository, held)


def _repository(dispatch: Dispatch) -> Repository | None:
    try:
        return repository_of(dispatch)
    except Refused:  # gone, moved or another one by now
        return None


def _is_old(bench: Workbench, dispatch: Dispatch) -> bool:
    return is_old(dispatch, now=bench.now(), days=bench.settings().keep.clones_days)


def _foreign_folders(bench: Workbench, known: Container[str]) -> Iterator[Piece]:
    for folder in bench.state.runs():
        if folder.root.name not in known:
            yield Piece(
                dispatch=folder.root.name,
                kind="clones",
                name=str(folder.root),
                worth=Worth.FOREIGN,
                is_removed=False,
                size_bytes=_size_bytes(folder.root),
            )


def _drop_unborn(runs: Path, known: Container[str]) -> None:
    """Remove the folders of dispatches that never came to be: their starters were killed."""
    for run in [RunFolder(root) for root in runs.glob("*") if root.name not in known]:
        if not {*run.root.iterdir()} <= {run.lifeline}:
            continue
        with lifeline.held(run) as mine:
            if mine is not None:
                shutil.rmtree(run.root)


def _size_bytes(folder: Path) -> int:
    """Say what a folder takes on the disk; links are not followed."""
    blocks = 0
    # what is gone meanwhile is passed over: a dispatch that is at work takes its own folders away
    for place, _, files in os.walk(folder):
        for path in (place, *(os.path.join(place, name) for name in files)):  # noqa: PTH118  many
            with suppress(OSError):
                blocks += os.lstat(path).st_blocks
    return blocks * 512
