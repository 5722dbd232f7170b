"""What is the user's own in a repository, so that it can be compared before and after."""

import hashlib
import os
import subprocess
from pathlib import Path

from sandbox import Sandbox


def user_state(sandbox: Sandbox) -> dict[str, object]:
    """Read everything of the user's that a dispatch must leave as it is.

    The files of the checkout, ignored ones too; the index; all refs but ours; stash, configuration,
    hooks.
    """
    root = sandbox.root
    own = [
        line
        for line in sandbox.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
        if not line.startswith(("refs/kimi/", "refs/heads/kimi/"))
    ]
    return {
        "files": _files(root),
        "index": (root / ".git/index").read_bytes(),
        "head": (root / ".git/HEAD").read_bytes(),
        "refs": own,
        "stash": sandbox.git("stash", "list"),
        "config": (root / ".git/config").read_bytes(),
        "hooks": _files(root / ".git/hooks"),
        "locks": sorted(str(path) for path in (root / ".git").rglob("*.lock")),
    }


def fsck(sandbox: Sandbox) -> str:
    """Have git look for damage; empty when there is none."""
    done = subprocess.run(
        ["git", "fsck", "--full", "--no-dangling", "--no-progress"],
        cwd=sandbox.root,
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _files(root: Path) -> dict[str, str]:
    found: dict[str, str] = {}
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != ".git"]
        for name in names:
            path = Path(folder, name)
            if path.is_symlink():
                found[str(path)] = str(path.readlink())
            else:
                mode = path.stat().st_mode
                found[str(path)] = f"{mode:o} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    return found
