"""What a partial clone lacks of a commit, fetched once before anything begins.

Such a repository (`git clone --filter=...`) holds the files that somebody has checked out and
leaves the others with its remote. A clone that borrows its objects cannot ask that remote, and must
not. So the base is checked out once as the user would, into a folder that is thrown away: git then
fetches what their sparse patterns want of it, in one go (2.39), into their repository.
"""

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from kimi_mcp.errors import Refused
from kimi_mcp.quoting.quotes import quoted
from kimi_mcp.workspace import git
from kimi_mcp.workspace.remotes import without_credentials
from kimi_mcp.workspace.repository import Repository, configuration

FETCH_BOUND_S = 600.0
WORDS_CHARS = 300

_PROMISOR = re.compile(r"remote\.(?P<name>.+)\.promisor")


def fetch_promised(repository: Repository, commit: str) -> None:
    """Make sure that all files of *commit* that a checkout would have are here.

    Raises:
        Refused: the remote that promised them does not give them.
    """
    remote = _promisor(configuration(repository))
    if remote is None or not _lacks(repository, commit):
        return
    with tempfile.TemporaryDirectory(prefix="kimi-mcp-") as folder:
        places = [f"--git-dir={repository.git_dir}", f"--work-tree={folder}"]
        answer = git.ask_as_user(
            [*places, "read-tree", "-m", "-u", commit],
            folder=Path(folder),
            index=Path(folder, ".git"),  # the one name that a checkout never writes
            bound_s=FETCH_BOUND_S,
            env={"GIT_LFS_SKIP_SMUDGE": "1"},
        )
    if answer.exit_code != 0:
        raise Refused(
            f"{repository.root} is a partial clone, and what it lacks of {commit[:10]} could not "
            f"be fetched from {remote}. Nothing was started. Git said: "
            f"{quoted(without_credentials(answer.stderr.strip()), limit=WORDS_CHARS)}. "
            f"Make {remote} reachable, then retry."
        )


def _promisor(settings: Mapping[str, str]) -> str | None:
    if named := settings.get("extensions.partialclone"):
        return named
    found = (_PROMISOR.fullmatch(key) for key, value in settings.items() if value == "true")
    return next((match["name"] for match in found if match), None)


def _lacks(repository: Repository, commit: str) -> bool:
    """Whether anything of the commit's tree is not here; asks no remote for it."""
    question = ["rev-list", "--objects", "--no-walk", "--missing=print", commit]
    return b"\n?" in git.run(question, git_dir=repository.git_dir)
