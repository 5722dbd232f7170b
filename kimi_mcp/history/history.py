"""The value that the rest of the house holds."""

from kimi_mcp.history.admission import Admission
from kimi_mcp.history.follower import Follower
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.journal import Journal
from kimi_mcp.history.moves import Moves
from kimi_mcp.history.reads import Reads


class History(Admission, Moves, Journal, Reads):
    """What happened, durably: `History.open(path)` once at the door, then handed down.

    Every method is one unit of work on a connection of its own, so the value may be shared between
    threads. All of them block for about a millisecond; async callers use a worker thread.
    """

    __slots__ = ()

    def follow(self, dispatch: DispatchId) -> Follower:
        """Hold a connection to follow one dispatch on; close it when done."""
        return Follower(self, dispatch)
