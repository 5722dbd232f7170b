"""The ignore rules of a base commit, whatever the clone's `.gitignore` files say by now.

Git answers, in a shadow folder that holds the base's `.gitignore` files and nothing else.
"""

from contextlib import suppress
from pathlib import Path, PurePosixPath

from kimi_mcp.workspace import git
from kimi_mcp.workspace.clone import Ledger
from kimi_mcp.workspace.objects import contents


class BaseRules:
    """The base's ignore rules, asked in a folder that holds nothing but its `.gitignore` files."""

    def __init__(self, ledger: Ledger, base: str, shadow: Path) -> None:
        self._ledger = ledger
        self._base = base
        self._shadow = shadow
        self._is_laid = False

    def hidden(self, files: list[str], folders: list[str]) -> set[str]:
        """Tell which of these files and folders the rules hide."""
        self._lay()
        for folder in folders:  # git matches `name/` only against a folder that it can see
            with suppress(OSError):  # too deep, or Kimi made a folder named .gitignore
                (self._shadow / folder).mkdir(parents=True, exist_ok=True)
        question = ["check-ignore", "--no-index", "-z", "--stdin"]
        answer = git.ask(
            question,
            git_dir=self._ledger.git_dir,
            work_tree=self._shadow,
            stdin=git.joined([f"./{path}" for path in (*files, *folders)]),  # `:` would be magic
        )
        if answer.exit_code > 1:  # 1 means that nothing is hidden
            raise git.failure(question, answer)
        return {path.removeprefix("./") for path in git.listed(answer.stdout)}

    def _lay(self) -> None:
        if self._is_laid:
            return
        self._is_laid = True
        output = git.run(["ls-tree", "-r", "-z", self._base], git_dir=self._ledger.git_dir)
        blobs: dict[str, str] = {}
        for entry in git.listed(output):
            head, _, path = entry.partition("\t")
            mode, _, blob = head.split(" ")
            if mode.startswith("100") and PurePosixPath(path).name == ".gitignore":
                blobs[path] = blob
        texts = contents(self._ledger, list(blobs.values()))
        for path, text in zip(blobs, texts, strict=True):
            place = self._shadow / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text)
