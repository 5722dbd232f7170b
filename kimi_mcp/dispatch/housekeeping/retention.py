"""How much of the past the history holds whole: `keep.history_days` and `keep.history_bytes`.

The oldest steps go first. A dispatch whose folder is still there keeps its own: what its clones are
worth is read from them.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from kimi_mcp.history.history import History
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.times import timestamp
from kimi_mcp.state import StateFolder


def retain(
    history: History, state: StateFolder, *, now: datetime, days: int, most_bytes: int
) -> None:
    """Condense what has been over for *days*, then the oldest while the file holds more; 0: any."""
    if days:
        until = timestamp(now - timedelta(days=days))
        for dispatch in _free(state, history.whole(until=until)):
            history.condense(dispatch, at=timestamp(now))
    if not most_bytes or history.used_bytes() <= most_bytes:
        return
    for dispatch in _free(state, history.whole()):
        history.condense(dispatch, at=timestamp(now))
        if history.used_bytes() <= most_bytes:
            return


def _free(state: StateFolder, dispatches: Iterable[DispatchId]) -> Iterable[DispatchId]:
    return (one for one in dispatches if not state.run(one).root.is_dir())
