"""What happened, durably: one SQLite file.

The server writes a dispatch down as queued and records the wish to cancel; its runner alone moves
states and adds to the record; anybody reads. This file is the only channel between the two, so it
imports nothing heavy: the runner loads it at every start.
"""

from kimi_mcp.history.follower import Follower
from kimi_mcp.history.history import History
from kimi_mcp.history.ids import DispatchId, dispatch_id, new_dispatch_id

__all__ = ["DispatchId", "Follower", "History", "dispatch_id", "new_dispatch_id"]
