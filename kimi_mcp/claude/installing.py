"""Carrying an arrangement out, so that it can be undone."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from kimi_mcp.claude import packaged, standing
from kimi_mcp.claude.arrangement import Arrangement
from kimi_mcp.claude.client import Client
from kimi_mcp.claude.places import Places
from kimi_mcp.claude.receipt import Receipt, contents, missing_folders
from kimi_mcp.claude.wanted import files_of


def install(
    places: Places, arrangement: Arrangement, receipt: Receipt, client: Client | None
) -> None:
    """Write the files, then run Claude Code's commands; what was there before is remembered.

    Raises:
        Unready: a file cannot be written or a command failed; what was done can be undone.
    """
    files = sorted(files_of(arrangement, places))
    before, missing = contents(files), missing_folders([*files, _cache(places) / "x"])
    try:
        for edit in arrangement.edits:
            edit.carry_out()
        arrangement.run_calls(client)
    finally:
        receipt.remember(before, (one for one in missing if one.exists()))


def uninstall(
    places: Places, arrangement: Arrangement, receipt: Receipt, client: Client | None
) -> None:
    """Take ours away, and give the bytes of before back.

    Raises:
        Unready: a file cannot be written or a command failed.
    """
    exact = receipt.exact()
    arrangement.run_calls(client)
    for edit in arrangement.edits:
        edit.carry_out()
    receipt.restore(exact)
    if not standing.plugin_scopes(places):
        shutil.rmtree(_cache(places), ignore_errors=True)  # Claude Code leaves an orphan
    receipt.forget()
    _remove_empty([*map(Path, receipt.folders), *_inner(places.marketplace), places.own])


def _cache(places: Places) -> Path:
    return places.config / "plugins" / "cache" / packaged.MARKETPLACE


def _inner(folder: Path) -> list[Path]:
    """Name a folder and all in it, the inner first."""
    inside = [one for one in folder.rglob("*") if one.is_dir()] if folder.is_dir() else []
    return [*sorted(inside, key=lambda one: -len(one.parts)), folder]


def _remove_empty(folders: Iterable[Path]) -> None:
    for folder in folders:
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
