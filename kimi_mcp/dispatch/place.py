"""Which repository a call means.

`repo`, else the one that holds the spec given, else around `CLAUDE_PROJECT_DIR`, else around the
current folder. A linked worktree counts as itself.
"""

import os
from pathlib import Path

from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import Refused
from kimi_mcp.reading import expanded, shown
from kimi_mcp.workspace.repository import Repository, locate

NAMED_CANDIDATES = 5


def repository_for(
    bench: Workbench, *, repo: str | None = None, spec: str | None = None
) -> Repository:
    """Find the repository that a call with these arguments means.

    Raises:
        Refused: there is none, or several could be meant; the message says what to do.
    """
    if repo is not None:
        named = _absolute(bench, repo)
        if not os.path.exists(named):  # noqa: PTH110  whose kin raises for names that are too long
            raise Refused(
                f"There is no folder {shown(str(named))}; repo names a folder of a repository."
            )
        return locate(named)
    if spec is not None and spec.startswith(("/", "~")):
        return locate(expanded(spec))
    start = Path(bench.environ.get("CLAUDE_PROJECT_DIR") or bench.folder)
    try:
        return locate(start)
    except Refused as refusal:
        beneath = sorted(folder.parent for folder in start.glob("*/.git"))
        if not beneath:
            raise
        named = ", ".join(str(folder) for folder in beneath[:NAMED_CANDIDATES])
        raise Refused(
            f"{refusal} Repositories beneath it, one of which repo can name: {named}."
        ) from (refusal)


def described(repository: Repository) -> str:
    """Name repository, branch and short base, as replies do."""
    branch = repository.branch or "detached HEAD"
    return f"{repository.root} ({branch} at {repository.head[:10]})"


def _absolute(bench: Workbench, path: str) -> Path:
    return bench.folder / expanded(path)
