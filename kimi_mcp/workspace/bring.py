"""Files of the user's checkout that git does not hold, brought along into a fresh clone.

Which: patterns like those of `.gitignore`, from the user's settings and from the repository's
`.worktreeinclude`. Only files that git ignores come along, as in Claude Code's own worktrees: what
is merely uncommitted would look like Kimi's work.
"""

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from kimi_mcp.workspace import git
from kimi_mcp.workspace.repository import Repository

INCLUDE_FILE = ".worktreeinclude"  # Claude Code reads it, too


def brought_along(repository: Repository, patterns: Sequence[str]) -> tuple[str, ...]:
    """Name the ignored files of the checkout that match, sorted; links are left out."""
    include = repository.root / INCLUDE_FILE
    lists = [f"--exclude-from={include}"] if include.is_file() else []
    wanted = [*lists, *(f"--exclude={pattern}" for pattern in patterns)]
    if not wanted:
        return ()
    matching = _others(repository, wanted)
    ignored = set(_others(repository, ["--exclude-standard"]))
    return tuple(
        sorted(
            path
            for path in ignored.intersection(matching)
            if (repository.root / path).is_file() and not (repository.root / path).is_symlink()
        )
    )


def bring_along(root: Path, paths: Iterable[str], *, clone: Path) -> None:
    """Copy files of the checkout into a clone, as far as they are still there.

    A path whose folder is a link in the clone is not followed.
    """
    for path in paths:
        target = clone / path
        if target.parent.resolve().is_relative_to(clone.resolve()) and (root / path).is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / path, target)


def _others(repository: Repository, rules: Sequence[str]) -> list[str]:
    output = git.run(
        ["ls-files", "-z", "--others", "--ignored", *rules],
        git_dir=repository.git_dir,
        work_tree=repository.root,
        reads_user_config=True,
    )
    return git.listed(output)
