"""A user's repository and a task's clone, for the tests of this room."""

import os
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from kimi_mcp.workspace.clone import Ledger, lay_clone, open_ledger, pin
from kimi_mcp.workspace.commit import Attempt, commit_work
from kimi_mcp.workspace.repository import Repository, locate

DISPATCH = "001-add-login-7k3f"


@dataclass(frozen=True, slots=True)
class Checkout:
    """A folder where plain git is used as a person would."""

    root: Path

    def git(self, *args: str) -> str:
        """Run plain git, with whatever configuration it finds."""
        return os.fsdecode(self.raw_git(*args)).rstrip("\n")

    def raw_git(self, *args: str) -> bytes:
        """Run plain git and return its output as it is."""
        done = subprocess.run(["git", *args], cwd=self.root, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def write(self, path: str, text: str | bytes) -> Path:
        """Write a file, its folders too."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return file

    def commit(self, message: str = "Change") -> str:
        """Commit everything."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A clone laid for one task, with our ledger and index."""

    repository: Repository
    ledger: Ledger
    folder: Path
    base: str

    @property
    def clone(self) -> Path:
        """Where Kimi works."""
        return self.folder / "clone"

    @property
    def index(self) -> Path:
        """Our index of it."""
        return self.folder / "index"

    @property
    def kimi(self) -> Checkout:
        """The clone as Kimi uses it."""
        return Checkout(self.clone)

    def commit(self, *, parent: str | None = None, named: Iterable[str] = ()) -> Attempt:
        """Commit what lies in the clone."""
        return commit_work(
            self.ledger,
            clone=self.clone,
            index=self.index,
            base=self.base,
            parent=parent or self.base,
            named=named,
            message="Task 1\n\nKimi-Dispatch: 001\n",
        )

    def blob(self, commit: str, path: str) -> bytes:
        """Read a file of a commit in the ledger."""
        return subprocess.run(
            ["git", "--git-dir", self.ledger.git_dir, "cat-file", "blob", f"{commit}:{path}"],
            capture_output=True,
            check=True,
        ).stdout

    def files(self, commit: str) -> list[str]:
        """Name the files of a commit in the ledger."""
        listing = subprocess.run(
            ["git", "--git-dir", self.ledger.git_dir, "ls-tree", "-r", "-z", "--name-only", commit],
            capture_output=True,
            check=True,
        ).stdout
        return [os.fsdecode(name) for name in listing.split(b"\0") if name]


def lay_task(root: Path, run: Path, *, number: int = 1, base: str | None = None) -> Task:
    """Lay a task's clone from the repository at *root*, in the run folder *run*."""
    repository = locate(root)
    commit = base or repository.head
    pin(repository, DISPATCH, commit)
    task = Task(
        repository=repository,
        ledger=open_ledger(repository, run / "git"),
        folder=run / f"task-{number}",
        base=commit,
    )
    lay_clone(task.ledger, commit, clone=task.clone, index=task.index)
    return task


def summary(attempt: Attempt) -> list[tuple[str, str]]:
    """Reduce an attempt to the status and path of its changes."""
    return [(change.status, change.path) for change in attempt.changes]
