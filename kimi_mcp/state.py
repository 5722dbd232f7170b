"""Where our own files lie: the state folder and what is in it.

`KIMI_MCP_HOME`, else the platform's user state folder. Everything is private to the user (0700).
Nothing here is read from a repository.
"""

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from kimi_mcp import log, private
from kimi_mcp.errors import Unready


@dataclass(frozen=True, slots=True)
class StateFolder:
    """The paths of the state folder; every one stays valid between versions."""

    root: Path

    @classmethod
    def locate(cls, environ: Mapping[str, str] = os.environ) -> "StateFolder":
        """Find the folder and create it, readable by its owner only.

        Raises:
            Unready: it belongs to somebody else, or others could write into it.
        """
        folder = cls.named(environ)
        repair = private.claim(folder.root)
        if repair is not None:
            log.note("state.repaired", what=repair)
        return folder

    @classmethod
    def named(cls, environ: Mapping[str, str] = os.environ) -> "StateFolder":
        """Find the folder, which may not exist yet."""
        named = environ.get("KIMI_MCP_HOME")
        root = Path(named) if named else platformdirs.user_state_path("kimi-mcp", appauthor=False)
        try:
            return cls(root.expanduser().absolute())
        except RuntimeError as error:
            raise Unready(
                f"KIMI_MCP_HOME is {named!r}, the home of nobody; set it to a folder of your own."
            ) from error

    @property
    def history_db(self) -> Path:
        """The SQLite file with all that has happened; `history` alone opens it."""
        return self.root / "history.db"

    @property
    def underway(self) -> Path:
        """Notes of what is going on in checkouts of the user's."""
        return self.root / "underway"

    @property
    def profile_memory(self) -> Path:
        """What Kimi's own configuration was under the profiles that were left; one file each."""
        return self.root / "profiles"

    @property
    def cache(self) -> Path:
        """What can be deleted at any time: Kimi's detection, Node's compile cache."""
        return self.root / "cache"

    def tool_caches(self, repository: Path) -> Path:
        """What the tools of one repository's tasks have downloaded; only fenced programs use it.

        *repository* is its common git directory. One cache for all would let one repository's
        worker prepare what another's will run.
        """
        key = hashlib.sha256(os.fsencode(repository)).hexdigest()[:16]
        return self.cache / "tools" / key

    @property
    def compile_cache(self) -> Path:
        """Node's compiled code of Kimi Code; Kimi may read it and not write."""
        return self.cache / "node-compile"

    @property
    def secret_rules(self) -> Path:
        """The compiled rules of the detector of secrets; only ours may write them."""
        return self.cache / "secret-rules"

    @property
    def kimi_install(self) -> Path:
        """Where a private Kimi Code is installed, one folder a version."""
        return self.root / "kimi"

    def run(self, dispatch_id: str) -> "RunFolder":
        """The folder of one dispatch, which may not exist (any more)."""
        return RunFolder(self._runs / dispatch_id)

    def runs(self) -> list["RunFolder"]:
        """The folders of all dispatches that have one."""
        if not self._runs.is_dir():
            return []
        return [RunFolder(root) for root in sorted(self._runs.iterdir()) if root.is_dir()]

    @property
    def _runs(self) -> Path:
        return self.root / "runs"


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
        """Where the runner's own standard output and error go."""
        return self.root / "runner.log"

    @property
    def git(self) -> Path:
        """Our git directory of this dispatch, out of Kimi's reach."""
        return self.root / "git"

    @property
    def slots(self) -> Path:
        """The lock files of what works at once, the same for all dispatches."""
        return self.root.parent.parent / "slots"

    def task(self, name: int | str) -> "TaskFolder":
        """The folder of one task, or of the merge of all (`merged`)."""
        return TaskFolder(self.root / f"task-{name}")

    def wave(self, first: int) -> "TaskFolder":
        """The folder of tasks that one Kimi works on together, by the first of them."""
        return self.task(f"wave-{first}")

    def waves(self) -> list["TaskFolder"]:
        """The folders of all waves that there were."""
        return [TaskFolder(root) for root in sorted(self.root.glob("task-wave-*"))]


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
        """The index file with which our git sees the clone; Kimi's own is in its `.git`."""
        return self.root / "index"

    @property
    def home(self) -> Path:
        """The task's Kimi home."""
        return self.root / "home"

    @property
    def temporary(self) -> Path:
        """`TMPDIR` of everything that runs for the task."""
        return self.root / "tmp"

    @property
    def user_home(self) -> Path:
        """`HOME` of setup and checks; Kimi gets a copy of its own."""
        return self.root / "user"

    @property
    def worker_home(self) -> Path:
        """`HOME` of Kimi and what it runs; checks trust nothing in it."""
        return self.root / "worker"

    @property
    def prepared(self) -> Path:
        """The stamps of what setup had made in the clone before Kimi first worked there."""
        return self.root / "prepared.json"

    @property
    def base(self) -> "TaskFolder":
        """Where checks are run on the commit that the task began from."""
        return TaskFolder(self.root / "base")

    def attempt(self, number: int) -> Path:
        """Raw output of one attempt, and what was set aside before its checks."""
        return self.root / f"attempt-{number}"
