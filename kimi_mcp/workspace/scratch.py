"""A new repository with a first commit, for the demo."""

from collections.abc import Mapping
from pathlib import Path

from kimi_mcp.workspace import git

AUTHOR = {
    f"GIT_{role}_{field}": value
    for role in ("AUTHOR", "COMMITTER")
    for field, value in (("NAME", "kimi-mcp demo"), ("EMAIL", "demo@kimi-mcp.invalid"))
}


def new_repository(root: Path, files: Mapping[str, str], *, message: str) -> None:
    """Make a repository at *root* whose first commit holds *files* (path: text)."""
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    git_dir = root / ".git"
    git.run(["init", "--quiet", "--initial-branch=main"], git_dir=git_dir)
    git.run(["add", "--all"], git_dir=git_dir, work_tree=root)
    git.run(["commit", "--quiet", "-m", message], git_dir=git_dir, work_tree=root, env=AUTHOR)
