"""Results go into the user's repository: objects first, then one ref by compare-and-swap.

Objects are packed in our ledger and unpacked there. A `git fetch` would do the same, but it reads
the repository's `url.*.insteadOf` and `transfer.*`, refuses shallow histories, and starts seven
processes. No hook of anybody runs, nothing is checked out, and no branch moves but ours.
"""

import os
import struct
import tempfile
from pathlib import Path
from typing import BinaryIO

from kimi_mcp.errors import Refused
from kimi_mcp.workspace import git, lfs
from kimi_mcp.workspace.clone import Ledger
from kimi_mcp.workspace.holdings import Holding
from kimi_mcp.workspace.repository import Repository

MERGED = "merged"

_UNPACK_LIMIT = 100  # objects; from there on one pack file is cheaper, as in git's own fetch


def branch_name(prefix: str, dispatch_id: str, task: int | None) -> str:
    """Name the branch of a task's result; without a task that of the merged results."""
    return f"{prefix}/{dispatch_id}/{MERGED if task is None else f'task-{task}'}"


def check_prefix_free(repository: Repository, prefix: str, dispatch_id: str) -> None:
    """Make sure that the branches of a dispatch can be created.

    Raises:
        Refused: the prefix makes no legal name, a branch stands in the way, or the dispatch's own
            branches are there already.
    """
    name = f"refs/heads/{branch_name(prefix, dispatch_id, None)}"
    legal = git.ask(["check-ref-format", name], git_dir=repository.common_dir)
    if legal.exit_code != 0 or prefix.startswith("-"):
        raise Refused(
            f"branch_prefix '{prefix}' makes no legal branch name. Use something like 'kimi'."
        )
    parts = name.split("/")
    above = ["/".join(parts[:count]) for count in range(3, len(parts))]
    output = git.run(["for-each-ref", "--format=%(refname)", *above], git_dir=repository.common_dir)
    taken = git.line(output).splitlines()
    for branch in taken:
        if branch in above:
            short = branch.removeprefix("refs/heads/")
            raise Refused(
                f"A branch named '{short}' stands where kimi-mcp puts its branches "
                f"('{prefix}/…'). Rename it, or set branch_prefix to something else."
            )
        if branch.startswith(f"{above[-1]}/"):
            raise Refused(f"Branches of {dispatch_id} exist already: {branch}. Discard them first.")


def keep_attempt(
    repository: Repository,
    ledger: Ledger,
    *,
    dispatch_id: str,
    task: int,
    attempt: int,
    commit: str,
) -> str:
    """Hold an attempt's commit in the user's repository, whatever became of it; return the ref."""
    ref = f"refs/kimi/{dispatch_id}/task-{task}.a{attempt}"
    _bring(repository, ledger, dispatch_id, commit)
    git.run(["update-ref", ref, commit], git_dir=repository.common_dir)
    return ref


def publish_branch(
    repository: Repository,
    ledger: Ledger,
    *,
    prefix: str,
    dispatch_id: str,
    task: int | None,
    commit: str,
    expected: str | None,
) -> str:
    """Create a result's branch, or move it on from the *expected* commit; return its name.

    A branch that is gone was landed or removed, and is made anew.

    Raises:
        Refused: the branch is not where it was expected (somebody else made or moved it), or it
            is checked out, and moving it would change that checkout.
    """
    branch = branch_name(prefix, dispatch_id, task)
    _check_not_checked_out(repository, branch)
    _bring(repository, ledger, dispatch_id, commit)
    order = ["update-ref", f"refs/heads/{branch}", commit, expected or "0" * len(commit)]
    answer = git.ask(order, git_dir=repository.common_dir)
    if answer.exit_code == 0:
        return branch
    found = git.ask(
        ["rev-parse", "--verify", "--quiet", f"refs/heads/{branch}"], git_dir=repository.common_dir
    )
    now = git.line(found.stdout) or None
    if now == commit:  # an earlier try got that far
        return branch
    if now is None and expected is not None:
        return publish_branch(
            repository,
            ledger,
            prefix=prefix,
            dispatch_id=dispatch_id,
            task=task,
            commit=commit,
            expected=None,
        )
    if now == expected:
        raise git.failure(order, answer)
    raise Refused(
        f"Branch {branch} is at {now or 'nothing'}, not at {expected or 'nothing'}: somebody else "
        f"moved it. The result is commit {commit}; move the branch out of the way and retry."
    )


def merge_message(dispatch_id: str) -> str:
    """Word the commit that brings the delivered tasks of a dispatch together."""
    return f"Merge the delivered tasks of {dispatch_id}\n"


def is_merge_of(repository: Repository, commit: str, dispatch_id: str) -> bool:
    """Tell whether a commit is such a merge, as we made it."""
    question = ["log", "-1", "--format=%B", commit]
    said = git.ask(question, git_dir=repository.common_dir).stdout
    return os.fsdecode(said).strip() == merge_message(dispatch_id).strip()


def move_back(repository: Repository, now: Holding, commit: str | None) -> None:
    """Take a branch back from where it was moved; without a *commit* it goes.

    One that is checked out, or was moved again meanwhile, stays.
    """
    if now.checkout:
        return
    order = ["-d", now.ref, now.commit] if commit is None else [now.ref, commit, now.commit]
    git.ask(["update-ref", *order], git_dir=repository.common_dir)


def drop_locks(repository: Repository, prefix: str, dispatch_id: str) -> None:
    """Remove the locks that a killed git has left on the refs of a dispatch, which are ours alone.

    Only when nobody works on it.
    """
    for folder in (f"refs/kimi/{dispatch_id}", f"refs/heads/{prefix}/{dispatch_id}"):
        for lock in repository.common_dir.joinpath(folder).glob("*.lock"):
            lock.unlink(missing_ok=True)


def _check_not_checked_out(repository: Repository, branch: str) -> None:
    output = git.run(
        ["for-each-ref", "--format=%(worktreepath)", f"refs/heads/{branch}"],
        git_dir=repository.common_dir,
    )
    if checkout := git.line(output):
        raise Refused(
            f"Branch {branch} is checked out in {checkout}. Check another branch out there first."
        )


def _bring(repository: Repository, ledger: Ledger, dispatch_id: str, commit: str) -> None:
    lfs.take_in(ledger.git_dir, into=repository.common_dir)
    # a ref is only written when all that it needs is there: what one points at need not be brought
    ours = f"refs/kimi/{dispatch_id}"
    if git.run(["for-each-ref", "--points-at", commit, ours], git_dir=repository.common_dir):
        return
    base = f"{ours}/base"
    pinned = git.line(git.run(["rev-parse", "--verify", base], git_dir=repository.common_dir))
    with tempfile.TemporaryDirectory(dir=ledger.git_dir, prefix="outbox.") as outbox:
        made = git.run(
            ["pack-objects", "--revs", "--quiet", f"{outbox}/pack"],
            git_dir=ledger.git_dir,
            stdin=f"{commit}\n^{pinned}\n".encode("ascii"),
        )
        for name in git.line(made).split():  # none when the commit is the base itself
            with Path(outbox, f"pack-{name}.pack").open("rb") as pack:
                _take_in(repository, pack)


def _take_in(repository: Repository, pack: BinaryIO) -> None:
    _, count = struct.unpack("!8sI", pack.read(12))
    os.lseek(pack.fileno(), 0, os.SEEK_SET)  # git reads the descriptor, not our buffer
    order = ["unpack-objects", "-q"] if count < _UNPACK_LIMIT else ["index-pack", "--stdin"]
    git.run(order, git_dir=repository.common_dir, stdin=pack)
