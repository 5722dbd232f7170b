"""What is under way in a checkout of the user's: noted down before, so that a kill is found out.

A note is a file in the state folder that names the checkout and is locked as long as its process
lives. Looking for notes costs a listing of one folder; a checkout is looked at only when there is
one that nobody holds.
"""

import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

from kimi_mcp import flock
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import KimiMcpError
from kimi_mcp.state import StateFolder
from kimi_mcp.workspace.recovery import put_back_everywhere
from kimi_mcp.workspace.repository import locate


@contextmanager
def at_work_in(bench: Workbench, checkout: Path) -> Generator[None]:
    """Work in a checkout's git directory; what kills have left there is put right first."""
    put_right(bench.state)
    note = bench.state.underway / secrets.token_hex(8)
    with suppress(OSError):
        bench.state.underway.mkdir(mode=0o700, exist_ok=True)
    lock = flock.take(note)
    try:
        if lock is not None:  # a state folder that cannot be written stops nobody from landing
            os.write(lock, os.fsencode(checkout))
        yield
    finally:
        if lock is not None:
            note.unlink(missing_ok=True)
            os.close(lock)


def put_right(state: StateFolder) -> None:
    """Put right what killed processes have left in checkouts of the user's."""
    try:
        notes = sorted(state.underway.iterdir())
    except FileNotFoundError:
        return
    for note in notes:
        lock = flock.take(note, is_made=False)
        if lock is None:
            continue
        try:
            _put_right(Path(os.fsdecode(note.read_bytes())))
            note.unlink()
        except (KimiMcpError, OSError):  # the checkout is gone or cannot be written: next time
            continue
        finally:
            os.close(lock)


def _put_right(checkout: Path) -> None:
    if checkout.is_absolute() and checkout.is_dir():
        put_back_everywhere(locate(checkout))
