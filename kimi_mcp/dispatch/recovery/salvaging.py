"""Putting a history that can be read in the place of a damaged one.

Without a workbench, which cannot be opened then. What the new file does not know of is still there:
work in its refs and clones, which `clean` tells as *foreign* and never removes.
"""

from datetime import UTC, datetime

from kimi_mcp.dispatch.recovery import lifeline
from kimi_mcp.errors import Refused
from kimi_mcp.history.salvage import Salvaged, salvage
from kimi_mcp.state import StateFolder


def salvage_history(state: StateFolder) -> str:
    """Copy what can be read of the damaged history into a new one; tell what came of it.

    Raises:
        Refused: a runner is at work, or the history is whole, missing or unreadable.
        StoreUnusable: a newer kimi-mcp has written it, or the disk refused.
    """
    alive = [folder.root.name for folder in state.runs() if lifeline.is_held(folder)]
    if alive:
        raise Refused(
            f"{', '.join(alive)} is at work, and writes into the history. Wait for its end, then "
            "salvage."
        )
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return _told(salvage(state.history_db, stamp=stamp))


def _told(found: Salvaged) -> str:
    lost = [
        f"{count} {what}"
        for count, what in (
            (found.lost_dispatches, "dispatches"),
            (found.lost_events, "events"),
            (found.torn_rows, "rows that made no sense or whose dispatch is lost"),
        )
        if count
    ]
    return (
        f"Salvaged {found.dispatches} dispatches with {found.events} events. "
        f"Lost: {', '.join(lost) or 'nothing that is known of'}.\n"
        f"The damaged file is kept: {found.damaged}\n"
        "Work that the history no longer knows of stays in its refs and clones; `kimi-mcp clean "
        "--dry-run` lists it. Restart the Claude Code sessions that are open."
    )
