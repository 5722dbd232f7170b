"""Where our own files lie: the state folder and what is in it.

`KIMI_MCP_HOME`, else the platform's user state folder. Everything is private to the user (0700).
Nothing here is read from a repository.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs


@dataclass(frozen=True, slots=True)
class StateFolder:
    """The paths of the state folder; every one stays valid between versions."""

    root: Path

    @classmethod
    def locate(cls, environ: Mapping[str, str] = os.environ) -> "StateFolder":
        """Find the folder and create it, readable by its owner only."""
        named = environ.get("KIMI_MCP_HOME")
        root = Path(named) if named else platformdirs.user_state_path("kimi-mcp", appauthor=False)
        folder = cls(root.expanduser().absolute())
        folder.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder.root.chmod(0o700)
        return folder

    @property
    def history_db(self) -> Path:
        """The SQLite file."""
        return self.root / "history.db"

    @property
    def cache(self) -> Path:
        """What can be deleted at any time: Kimi's detection, Node's compile cache."""
        return self.root / "cache"

    @property
    def kimi_install(self) -> Path:
        """Where a private Kimi Code is installed, one folder a version."""
        return self.root / "kimi"

    def run(self, dispatch_id: str) -> "RunFolder":
        """The folder of one dispatch."""
        return RunFolder(self.root / "runs" / dispatch_id)


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The paths of one dispatch's files."""

    root: Path

    @property
    def lifeline(self) -> Path:
        """The lock file that the runner holds as long as it lives."""
        return self.root / "lifeline"

    @property
    def log(self) -> Path:
        """The runner's own log."""
        return self.root / "runner.log"

    @property
    def git(self) -> Path:
        """Our git directory of this dispatch, out of Kimi's reach."""
        return self.root / "git"

    def task(self, name: int | str) -> "TaskFolder":
        """The folder of one task, or of the merge of all (`merged`)."""
        return TaskFolder(self.root / f"task-{name}")


@dataclass(frozen=True, slots=True)
class TaskFolder:
    """The paths of one task's files."""

    root: Path

    @property
    def clone(self) -> Path:
        """The private clone: Kimi's working folder."""
        return self.root / "clone"

    @property
    def index(self) -> Path:
        """Our index file of the clone."""
        return self.root / "index"

    @property
    def home(self) -> Path:
        """The task's Kimi home."""
        return self.root / "home"

    @property
    def temporary(self) -> Path:
        """`TMPDIR` of everything that runs for the task."""
        return self.root / "tmp"

    def attempt(self, number: int) -> Path:
        """Raw output of one attempt, and what was set aside before its checks."""
        return self.root / f"attempt-{number}"
