"""The repository that a dispatch was made from, and the names of its branches there."""

from pathlib import Path

from kimi_mcp.dispatch.orders import Orders
from kimi_mcp.errors import Refused
from kimi_mcp.history.records import Dispatch
from kimi_mcp.workspace.repository import Repository, locate


def prefix_of(dispatch: Dispatch) -> str:
    """Say what the branches of a dispatch begin with."""
    return Orders.from_json(dispatch.orders).branch_prefix


def repository_of(dispatch: Dispatch) -> Repository:
    """Find the checkout that a dispatch was made from.

    Raises:
        Refused: it is no longer there.
    """
    root = Path(dispatch.repository)
    if root.is_dir():
        found = locate(root)
        if found.root == root and str(found.common_dir) == dispatch.git_dir:
            return found
    raise Refused(
        f"{dispatch.repository}, where {dispatch.id} was dispatched, is no longer that checkout. "
        f"Its branches are in {dispatch.git_dir}, if that is still there: use git by hand."
    )
