"""Work to be landed, and all of a user's repository that a landing could disturb."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from user_checkout import DISPATCH, Checkout, Task

from kimi_mcp.workspace.draft import Work
from kimi_mcp.workspace.landing import Landed, apply, commit_onto
from kimi_mcp.workspace.publish import keep_attempt
from kimi_mcp.workspace.repository import locate

KEPT = f"refs/kimi/{DISPATCH}/yours-1"

Land = Callable[[Path, Work], Landed]


def land_apply(root: Path, work: Work) -> Landed:
    return apply(locate(root), work)


def land_squash(root: Path, work: Work) -> Landed:
    return commit_onto(locate(root), work, "main", message="Squashed\n")


def land_merge(root: Path, work: Work) -> Landed:
    return commit_onto(locate(root), work, "main", message="Merged\n", merged=[work.commit])


WAYS: dict[str, Land] = {"apply": land_apply, "squash": land_squash, "merge": land_merge}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Everything that must not change when a landing is refused."""

    head: str
    refs: str
    index: str
    files: tuple[tuple[str, int, bytes], ...]
    stash: str
    worktrees: str
    leftovers: tuple[str, ...]


def standing(checkout: Checkout) -> Standing:
    git_dir = Path(checkout.git("rev-parse", "--absolute-git-dir"))
    index = git_dir / "index"
    return Standing(
        head=(git_dir / "HEAD").read_text(encoding="utf-8"),
        refs=checkout.git("for-each-ref", "--format=%(refname) %(objectname)"),
        index=hashlib.sha256(index.read_bytes()).hexdigest(),
        files=tuple(sorted(_files(checkout.root))),
        stash=checkout.git("stash", "list"),
        worktrees=checkout.git("worktree", "list"),
        leftovers=tuple(sorted(path.name for path in git_dir.glob("*kimi-mcp*"))),
    )


def _files(root: Path) -> list[tuple[str, int, bytes]]:
    found: list[tuple[str, int, bytes]] = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != ".git"]
        links = [name for name in folders if Path(folder, name).is_symlink()]
        for name in [*names, *links]:
            file = Path(folder, name)
            content = os.fsencode(file.readlink()) if file.is_symlink() else file.read_bytes()
            found.append((str(file.relative_to(root)), file.lstat().st_mode, content))
    return found


def kimis_work(task: Task, *, is_on_snapshot: bool = False) -> Work:
    """Commit what lies in the task's clone and bring it into the user's repository."""
    attempt = task.commit()
    keep_attempt(
        task.repository,
        task.ledger,
        dispatch_id=DISPATCH,
        task=1,
        attempt=1,
        commit=attempt.commit,
    )
    return Work(
        base=task.base,
        commit=attempt.commit,
        name=f"kimi/{DISPATCH}/merged",
        kept_ref=KEPT,
        is_on_snapshot=is_on_snapshot,
    )


def every_kind_of_change(task: Task) -> Work:
    """Have Kimi add, change, delete and rename, set a mode, link, and write bytes."""
    kimi = task.kimi
    kimi.write("src/new/deep.py", "new\n")
    kimi.write("src/app.py", "one\nTWO\nthree\n")
    kimi.write("blob.bin", bytes(range(256)))
    (task.clone / "src/old.py").rename(task.clone / "src/renamed.py")
    (task.clone / "README.md").chmod(0o755)
    (task.clone / "link").symlink_to("src/app.py")
    return kimis_work(task)


def small_change(task: Task) -> Work:
    """Have Kimi change one line of `src/app.py` and add `src/new.py`."""
    task.kimi.write("src/app.py", "one\nTWO\nthree\n")
    task.kimi.write("src/new.py", "new\n")
    return kimis_work(task)


def hook(checkout: Checkout, name: str, script: str) -> None:
    """Give the user a hook."""
    folder = Path(checkout.git("rev-parse", "--path-format=absolute", "--git-path", "hooks"))
    folder.mkdir(exist_ok=True)
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    file.chmod(0o755)


def is_sound(checkout: Checkout) -> bool:
    """Tell whether git finds nothing wrong with the repository."""
    return "error" not in checkout.git("fsck", "--full", "--no-dangling", "--strict")
