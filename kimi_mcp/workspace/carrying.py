"""Commits carried between machines, as thin packs: nothing that the other side holds already.

Out goes what the tree of the dispatch's base needs and what was made upon it. Its history ends
there (a shallow boundary), however long it is at home. Back comes what the task's commit adds; it
is unpacked in a place of its own and believed only when it is whole and stands on the right commit.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kimi_mcp import flock
from kimi_mcp.errors import Unready
from kimi_mcp.workspace import git
from kimi_mcp.workspace.clone import Ledger

if TYPE_CHECKING:
    from collections.abc import Generator

_HELD = "refs/held/"
_MOST_HELD = 200  # commits that a store names; the newest
_LOCK_BOUND_S = 600.0
_LOCK_POLL_S = 0.05


def packed(
    git_dir: Path, tips: Sequence[str], *, boundary: str | None, held: Sequence[str] = ()
) -> bytes:
    """Pack *tips* without what comes before *boundary*, and without what *held* commits hold.

    Of those that are held only their trees are taken to be there, not what came before them.
    """
    known = [commit for commit in held if _is_known(git_dir, commit)]
    ends = {*known, *([boundary] if boundary else [])}
    lines = [f"--shallow {commit}" for commit in sorted(ends) if boundary]
    lines += [*tips, *(f"^{commit}" for commit in known)]
    order = ["pack-objects", "--revs", "--thin", "--stdout", "--quiet", "--delta-base-offset"]
    order += ["--shallow"] if boundary else []
    return git.run(order, git_dir=git_dir, stdin="".join(f"{line}\n" for line in lines).encode())


def open_store(git_dir: Path, object_format: str) -> None:
    """Make a store of objects at *git_dir*, if it is not there yet; it is never there in part."""
    if git_dir.is_dir():
        return
    git_dir.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(dir=git_dir.parent, prefix=".draft."))
    for folder in ("objects/pack", "objects/info", "refs/heads"):
        (draft / folder).mkdir(parents=True)
    config = f"[core]\n\trepositoryformatversion = 1\n\tbare = true\n[extensions]\n\tobjectformat = {object_format}\n[gc]\n\tauto = 0\n"  # noqa: E501
    (draft / "config").write_text(config, encoding="utf-8")
    (draft / "HEAD").write_text("ref: refs/heads/work\n", encoding="utf-8")
    try:
        draft.rename(git_dir)
    except OSError:
        shutil.rmtree(draft)
        if not git_dir.is_dir():  # else another task has made it in the meantime
            raise


def held_in(git_dir: Path) -> list[str]:
    """Name the commits whose trees a store holds whole, the newest first; it may not exist."""
    if not git_dir.is_dir():
        return []
    order = ["for-each-ref", "--sort=-creatordate", f"--count={_MOST_HELD}"]
    listing = git.run([*order, "--format=%(objectname)", _HELD], git_dir=git_dir)
    return git.line(listing).split()


def take_into_store(git_dir: Path, pack: Path, tips: Sequence[str], *, boundary: str) -> None:
    """Unpack what `packed` made into a store, and hold it there.

    Raises:
        GitFailed: it is not whole.
    """
    with _locked(git_dir):
        shallow = git_dir / "shallow"
        known = shallow.read_text(encoding="ascii").split() if shallow.exists() else []
        if boundary not in known:
            draft = git_dir / "shallow.draft"  # readers beside us never see half of it
            draft.write_text("".join(f"{c}\n" for c in [*known, boundary]), encoding="ascii")
            draft.replace(shallow)
        with pack.open("rb") as file:
            git.run(["index-pack", "--stdin", "--fix-thin"], git_dir=git_dir, stdin=file)
        git.run(["rev-list", "--objects", "--quiet", *tips], git_dir=git_dir)
        for commit in {*tips, boundary}:
            git.run(["update-ref", f"{_HELD}{commit}", commit], git_dir=git_dir)


def take_result(ledger: Ledger, pack: Path, commit: str, *, parents: Sequence[str]) -> None:
    """Take a task's *commit*, which came from another machine, into the ledger.

    *parents* are the commits that it may stand on, the first of them it must.

    Raises:
        Unready: it is not whole, or it stands on something else; nothing was taken.
    """
    with tempfile.TemporaryDirectory(dir=ledger.git_dir, prefix="outbox.") as folder:
        inbox = Path(folder, "objects")
        (inbox / "pack").mkdir(parents=True)
        env = {
            "GIT_OBJECT_DIRECTORY": str(inbox),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(ledger.git_dir / "objects"),
        }
        with pack.open("rb") as file:
            order = ["index-pack", "--stdin", "--fix-thin", "--strict"]
            git.run(order, git_dir=ledger.git_dir, stdin=file, env=env)
        told = git.run(
            ["rev-list", "--parents", "-n", "1", commit], git_dir=ledger.git_dir, env=env
        )
        stands_on = git.line(told).split()[1:]
        if stands_on[:1] != [*parents[:1]] or not {*stands_on} <= {*parents}:
            raise Unready(f"The commit {commit} from another machine stands on the wrong one.")
        known = [f"^{parent}" for parent in parents]
        git.run(
            ["rev-list", "--objects", "--quiet", commit, *known], git_dir=ledger.git_dir, env=env
        )
        for made in sorted((inbox / "pack").iterdir(), key=lambda file: file.suffix == ".idx"):
            target = ledger.git_dir / "objects/pack" / made.name
            target.parent.mkdir(exist_ok=True)
            if not target.exists():
                shutil.move(made, target)


def _is_known(git_dir: Path, commit: str) -> bool:
    return git.ask(["cat-file", "-e", f"{commit}^{{tree}}"], git_dir=git_dir).exit_code == 0


@contextmanager
def _locked(git_dir: Path) -> "Generator[None]":
    deadline = time.monotonic() + _LOCK_BOUND_S
    while (lock := flock.take(git_dir / "taking.lock")) is None:
        if time.monotonic() > deadline:
            raise Unready(f"Somebody has been writing into {git_dir} for too long.")
        time.sleep(_LOCK_POLL_S)
    try:
        yield
    finally:
        os.close(lock)
