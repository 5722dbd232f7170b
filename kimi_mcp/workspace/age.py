"""Which files changed since a time, by what was committed: a checkout's own times say nothing."""

from kimi_mcp.workspace import git
from kimi_mcp.workspace.repository import Repository


def files_changed_since(repository: Repository, when_s: float) -> tuple[str, ...]:
    """List the files that HEAD's commits after *when_s*, seconds since the epoch, changed.

    The last thousand commits are looked at, for a plan may be years old and a history long.
    """
    output = git.run(
        [
            "log",
            "--max-count=1000",
            f"--since=@{int(when_s) + 1}",
            "--format=",
            "--name-only",
            "-z",
            "HEAD",
        ],
        git_dir=repository.common_dir,
    )
    return tuple(sorted(set(git.listed(output))))
