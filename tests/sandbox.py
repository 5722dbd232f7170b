"""A user's repository and machine, as tests arrange them."""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from kimi_mcp.demo.script import Reply
from kimi_mcp.demo.scripted_model import ScriptedModel


class Sandbox:
    """A user's repository with a small program in it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def git(self, *arguments: str) -> str:
        """Run git as the user would."""
        done = subprocess.run(
            ["git", *arguments], cwd=self.root, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def write(self, path: str, content: str) -> Path:
        """Put a file into the checkout, uncommitted."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content, encoding="utf-8")
        return file

    def commit(self, message: str = "Work") -> str:
        """Commit everything, and return the commit."""
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD")

    def show(self, revision: str, path: str) -> str:
        """Return a file as a commit has it."""
        return self.git("show", f"{revision}:{path}")


class StartModel(Protocol):
    """Serve scripts, and make this model the user's own in Kimi's configuration."""

    def __call__(self, scripts: Mapping[str, Sequence[Reply]]) -> ScriptedModel: ...
