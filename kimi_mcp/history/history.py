"""The value that the rest of the house holds."""

from kimi_mcp.history.admission import Admission
from kimi_mcp.history.follower import Follower, Watcher
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.journal import Journal
from kimi_mcp.history.known_files import KnownFiles
from kimi_mcp.history.landings import Landings
from kimi_mcp.history.moves import Moves
from kimi_mcp.history.reads import Reads
from kimi_mcp.history.retention import Retention
from kimi_mcp.history.spending import Spending
from kimi_mcp.history.turns import Turns


class History(Admission, Moves, Journal, KnownFiles, Landings, Reads, Retention, Spending, Turns):
    """What happened, durably: `History.open(path)` once at the door, then handed down.

    Every method is one unit of work on a connection of its own, but for those of a `snapshot`; so
    the value may be shared between threads. All of them block for about a millisecond; async
    callers use a worker thread.
    """

    __slots__ = ()

    def follow(self, dispatch: DispatchId) -> Follower:
        """Hold a connection to follow one dispatch on; close it when done."""
        return Follower(self, dispatch)

    def watch(self) -> Watcher:
        """Hold a connection to learn of any change by; close it when done."""
        return Watcher(self)
