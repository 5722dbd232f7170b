"""A private clone: the commit's files, a `.git` of its own, and nothing of the user's touched."""

import os
import shutil
from pathlib import Path

import pytest
from user_checkout import DISPATCH, Checkout, Task, lay_task, summary

from kimi_mcp.workspace.clone import lay_clone, open_ledger, renew_git
from kimi_mcp.workspace.publish import keep_attempt, publish_branch
from kimi_mcp.workspace.repository import locate


def deliver(task: Task) -> str:
    """Do what follows a successful attempt."""
    commit = task.commit().commit
    keep_attempt(
        task.repository, task.ledger, dispatch_id=DISPATCH, task=1, attempt=1, commit=commit
    )
    publish_branch(
        task.repository,
        task.ledger,
        prefix="kimi",
        dispatch_id=DISPATCH,
        task=1,
        commit=commit,
        expected=None,
    )
    return commit


def test_kimis_git_is_clean_at_the_commit_on_a_branch_of_its_own(task: Task) -> None:
    assert task.kimi.git("status", "--porcelain", "--branch") == "## work"
    assert task.kimi.git("rev-parse", "HEAD") == task.base
    assert task.kimi.git("remote") == ""
    assert task.kimi.git("log", "--format=%s") == "First"
    assert (task.clone / "src/app.py").read_text(encoding="utf-8") == "one\ntwo\nthree\n"


def test_what_kimi_does_with_its_git_reaches_nobody_else(task: Task) -> None:
    before = Checkout(task.repository.root).git("for-each-ref")
    task.kimi.write("a.txt", "a\n")
    task.kimi.commit("Kimi's own")
    task.kimi.git("branch", "--move", "main")
    task.kimi.git("tag", "v1")
    task.kimi.git("gc", "--quiet", "--prune=now")

    assert summary(task.commit()) == [("A", "a.txt")]
    assert Checkout(task.repository.root).git("for-each-ref") == before


def test_a_renewed_git_stands_at_the_attempt_without_kimis_configuration(
    task: Task, tmp_path: Path
) -> None:
    task.kimi.write("a.txt", "a\n")
    task.kimi.git("config", "alias.x", "y")
    commit = task.commit().commit

    renew_git(task.ledger, commit, clone=task.clone, index=task.index, aside=tmp_path / "aside")

    assert task.kimi.git("rev-parse", "HEAD") == commit
    assert task.kimi.git("status", "--porcelain") == ""
    assert "alias" not in task.kimi.git("config", "--local", "--list")
    (kept,) = (tmp_path / "aside").glob("*/git/config")
    assert "alias" in kept.read_text(encoding="utf-8")


def test_a_linked_worktree_counts_as_itself(checkout: Checkout, tmp_path: Path) -> None:
    checkout.git("worktree", "add", "--quiet", "-b", "feature", str(tmp_path / "linked"))
    linked = Checkout(tmp_path / "linked")
    linked.write("feature.txt", "feature\n")
    linked.commit("Feature")

    task = lay_task(linked.root, tmp_path / "run")
    task.kimi.write("a.txt", "a\n")
    commit = deliver(task)

    assert (task.clone / "feature.txt").exists()
    assert checkout.git("rev-parse", f"kimi/{DISPATCH}/task-1") == commit


def test_a_detached_head_is_a_base_too(checkout: Checkout, tmp_path: Path) -> None:
    checkout.git("checkout", "--quiet", "--detach")

    task = lay_task(checkout.root, tmp_path / "run")

    assert task.repository.branch is None
    assert task.kimi.git("status", "--porcelain") == ""


def test_a_shallow_repository_is_worked_on_and_published_to(
    checkout: Checkout, tmp_path: Path
) -> None:
    checkout.write("second.txt", "second\n")
    checkout.commit("Second")
    shallow = Checkout(tmp_path / "shallow")
    checkout.git("clone", "--quiet", "--depth=1", f"file://{checkout.root}", str(shallow.root))

    task = lay_task(shallow.root, tmp_path / "run")
    task.kimi.write("a.txt", "a\n")
    commit = deliver(task)

    assert task.kimi.git("log", "--format=%s") == "Second"
    assert shallow.git("log", "--format=%s", commit) == "Task 1\nSecond"
    shallow.git("fsck", "--strict")


def test_a_sha256_repository_is_worked_on_and_published_to(tmp_path: Path) -> None:
    user = Checkout(tmp_path / "user256")
    user.root.mkdir()
    user.git("init", "--quiet", "--object-format=sha256")
    user.write("a.txt", "a\n")
    user.commit()

    task = lay_task(user.root, tmp_path / "run")
    task.kimi.write("b.txt", "b\n")
    commit = deliver(task)

    assert len(commit) == 64
    assert task.kimi.git("log", "--format=%s") == "Change"
    assert user.git("show", f"{commit}:b.txt") == "b"


def test_a_gc_in_the_users_repository_takes_nothing_that_a_clone_borrows(
    checkout: Checkout, tmp_path: Path
) -> None:
    checkout.write("gone.txt", "only in a commit that no branch holds\n")
    checkout.commit("Soon unreachable")
    task = lay_task(checkout.root, tmp_path / "run")
    task.kimi.write("a.txt", "a\n")
    checkout.git("reset", "--quiet", "--hard", "HEAD~1")
    checkout.git("reflog", "expire", "--expire=now", "--all")

    checkout.git("gc", "--quiet", "--prune=now")
    commit = deliver(task)
    checkout.git("gc", "--quiet", "--prune=now")

    checkout.git("fsck", "--strict")
    Checkout(task.ledger.git_dir).git("fsck", "--strict")
    assert task.kimi.git("show", "HEAD:gone.txt")
    assert checkout.git("show", f"{commit}:a.txt") == "a"


def test_the_users_checkout_index_stash_configuration_and_hooks_stay_as_they_are(
    checkout: Checkout, tmp_path: Path
) -> None:
    checkout.write("src/app.py", "stashed\n")
    checkout.git("stash", "--quiet")
    checkout.write("src/app.py", "staged\n")
    checkout.git("add", "src/app.py")
    checkout.write("src/app.py", "unstaged\n")
    checkout.write("untracked.txt", "untracked\n")
    checkout.write(".git/hooks/post-commit", "#!/bin/sh\n")
    before = snapshot(checkout.root)

    task = lay_task(checkout.root, tmp_path / "run")
    task.kimi.write("a.txt", "a\n")
    deliver(task)

    new = snapshot(checkout.root).items() - before.items()
    assert before.items() <= snapshot(checkout.root).items()
    assert {path.split("/")[1] for path, _ in new} <= {"objects", "refs", "logs"}
    assert {path for path, _ in new if path.startswith(".git/refs/")} == {
        f".git/refs/heads/kimi/{DISPATCH}/task-1",
        f".git/refs/kimi/{DISPATCH}/base",
        f".git/refs/kimi/{DISPATCH}/task-1.a1",
    }


def snapshot(root: Path) -> dict[str, bytes]:
    """Read every file below a folder."""
    return {
        str(Path(folder, name).relative_to(root)): Path(folder, name).read_bytes()
        for folder, _, names in os.walk(root)
        for name in names
    }


def test_an_identity_with_quotes_and_line_breaks_is_carried_whole(
    checkout: Checkout, tmp_path: Path
) -> None:
    checkout.git("config", "user.name", 'Ada "The\\Count" #; L')

    task = lay_task(checkout.root, tmp_path / "run")

    assert task.kimi.git("config", "--local", "user.name") == 'Ada "The\\Count" #; L'


def test_a_ledger_is_made_once_and_found_again(checkout: Checkout, tmp_path: Path) -> None:
    repository = locate(checkout.root)
    first = open_ledger(repository, tmp_path / "run/git")
    config = (first.git_dir / "config").stat()

    second = open_ledger(repository, tmp_path / "run/git")

    assert second == first
    assert (second.git_dir / "config").stat() == config
    assert [place.name for place in (tmp_path / "run").iterdir()] == ["git"]


def test_a_clone_is_never_laid_over_something_else(task: Task) -> None:
    with pytest.raises(FileExistsError):
        lay_clone(task.ledger, task.base, clone=task.clone, index=task.index)


def test_a_clone_outlives_the_users_working_files(task: Task) -> None:
    for entry in task.repository.root.iterdir():
        if entry.name != ".git":
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()

    assert task.commit().commit == task.base
