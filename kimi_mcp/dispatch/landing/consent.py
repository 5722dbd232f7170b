"""What a person is asked before work is landed, because it cannot simply be taken back."""

from pathlib import Path

from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import Refused
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.landings import How
from kimi_mcp.workspace.remotes import shared_by
from kimi_mcp.workspace.repository import locate


def question(bench: Workbench, dispatch: DispatchId, how: How) -> str | None:
    """Word what is to be asked; None where nobody needs to be.

    A branch counts as protected when a remote takes it for its default: others build upon it, and
    it is the one that hosts protect.

    Raises:
        Refused: there is no such dispatch.
    """
    match how:
        case How.APPLY:
            return None
        case How.DISCARD:
            return f"Discard the work of {dispatch}? Its branches and clones are removed."
        case How.PULL_REQUEST:
            return f"Push {dispatch} and open a draft pull request?"
        case How.SQUASH | How.MERGE:
            return _onto(bench, dispatch)


def _onto(bench: Workbench, dispatch: DispatchId) -> str | None:
    about = bench.history.dispatch(dispatch)
    try:
        repository = locate(Path(about.repository))
    except Refused:
        return None  # the landing itself says what is wrong
    branch = about.base_branch
    remote = shared_by(repository, branch) if branch else None
    if remote is None:
        return None
    return (
        f"Commit {dispatch} onto {branch}, the default branch of {remote}? "
        "(how=apply leaves it uncommitted.)"
    )
