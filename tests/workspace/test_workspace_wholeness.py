"""A clone holds more than git's files: submodules, large files, what the user brings along."""

import subprocess
from pathlib import Path

import pytest
from user_checkout import DISPATCH, Checkout, Task, lay_task, summary

from kimi_mcp.workspace.bring import bring_along, brought_along
from kimi_mcp.workspace.clone import submodule_record
from kimi_mcp.workspace.publish import publish_branch
from kimi_mcp.workspace.repository import locate
from kimi_mcp.workspace.submodules import remember, remembered_folders

LARGE = "large " * 5000


def library(folder: Path, *, inner: Checkout | None = None) -> Checkout:
    folder.mkdir()
    made = Checkout(folder)
    made.git("init", "--quiet", "--initial-branch=main")
    made.write("lib.py", "lib\n")
    if inner is not None:
        made.git("submodule", "--quiet", "add", str(inner.root), "inner")
    made.commit()
    return made


@pytest.fixture
def with_submodules(checkout: Checkout, tmp_path: Path) -> Checkout:
    """A checkout with a submodule that has one itself, both there."""
    outer = library(tmp_path / "outer", inner=library(tmp_path / "inner"))
    checkout.git("submodule", "--quiet", "add", str(outer.root), "vendor/outer")
    checkout.git("submodule", "--quiet", "update", "--init", "--recursive")
    checkout.commit("Submodule")
    return checkout


def test_submodules_come_along_without_network_and_are_no_work_of_kimis(
    with_submodules: Checkout, tmp_path: Path
) -> None:
    for name in ("outer", "inner"):
        (tmp_path / name).rename(tmp_path / f"{name}-gone")

    task = lay_task(with_submodules.root, tmp_path / "run")

    assert (task.clone / "vendor/outer/lib.py").read_text("utf-8") == "lib\n"
    assert (task.clone / "vendor/outer/inner/lib.py").read_text("utf-8") == "lib\n"
    untouched = task.commit()
    assert (untouched.commit, untouched.in_submodules) == (task.base, ())
    assert "vendor/outer" not in task.kimi.git("status", "--porcelain")


def test_what_is_touched_in_a_submodule_is_told_and_what_setup_made_there_is_not(
    with_submodules: Checkout, tmp_path: Path
) -> None:
    task = lay_task(with_submodules.root, tmp_path / "run")
    task.kimi.write("vendor/outer/built", "by setup\n")
    record = submodule_record(task.index)
    remember(record, remembered_folders(record), clone=task.clone)

    task.kimi.write("vendor/outer/new.py", "x\n")
    task.kimi.write("vendor/outer/inner/lib.py", "changed\n")
    (task.clone / "vendor/outer/lib.py").unlink()

    assert task.commit().in_submodules == (
        "vendor/outer/inner/lib.py",
        "vendor/outer/lib.py",
        "vendor/outer/new.py",
    )


def test_a_submodule_that_the_user_has_not_fetched_stays_empty(
    with_submodules: Checkout, tmp_path: Path
) -> None:
    with_submodules.git("clone", "--quiet", ".", str(tmp_path / "second"))

    task = lay_task(tmp_path / "second", tmp_path / "run")

    assert list((task.clone / "vendor/outer").iterdir()) == []
    assert task.commit().in_submodules == ()


@pytest.fixture
def with_lfs(checkout: Checkout) -> Checkout:
    """A checkout in which git-lfs keeps the binaries."""
    checkout.git("lfs", "install", "--skip-repo")
    checkout.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
    checkout.write("old.bin", LARGE)
    checkout.commit("Large")
    assert checkout.git("show", "HEAD:old.bin").startswith("version https://git-lfs")
    return checkout


def test_large_files_are_whole_in_the_clone_and_pointers_in_the_commit(
    with_lfs: Checkout, tmp_path: Path
) -> None:
    task = lay_task(with_lfs.root, tmp_path / "run")
    assert (task.clone / "old.bin").read_text("utf-8") == LARGE
    assert task.commit().commit == task.base
    task.kimi.write("new.bin", LARGE + "new")

    attempt = task.commit()

    assert summary(attempt) == [("A", "new.bin")]
    assert task.blob(attempt.commit, "new.bin").startswith(b"version https://git-lfs")
    branch = publish(task, attempt.commit)
    with_lfs.git("checkout", "--quiet", branch)
    assert (with_lfs.root / "new.bin").read_text("utf-8") == LARGE + "new"


def test_a_large_file_that_the_user_does_not_have_stays_a_pointer(
    with_lfs: Checkout, tmp_path: Path
) -> None:
    subprocess.run(["rm", "-r", with_lfs.root / ".git/lfs"], check=True)

    task = lay_task(with_lfs.root, tmp_path / "run")

    assert (task.clone / "old.bin").read_text("utf-8").startswith("version https://git-lfs")
    assert task.commit().commit == task.base


def publish(task: Task, commit: str) -> str:
    return publish_branch(
        task.repository,
        task.ledger,
        prefix="kimi",
        dispatch_id=DISPATCH,
        task=1,
        commit=commit,
        expected=None,
    )


def test_ignored_files_that_are_listed_are_brought_along_and_no_others(
    checkout: Checkout, tmp_path: Path
) -> None:
    checkout.write(".gitignore", ".env*\nconfig/*.local\nbuild/\n")
    checkout.write(".worktreeinclude", "# what a worktree needs\n.env\n*.local\n!secret.local\n")
    checkout.commit("Include")
    for path in (".env", ".env.test", "config/a.local", "config/secret.local", "build/x", "plain"):
        checkout.write(path, f"{path}\n")
    (checkout.root / "config/link.local").symlink_to("/etc/hosts")
    repository = locate(checkout.root)
    task = lay_task(checkout.root, tmp_path / "run")

    listed = brought_along(repository, [])
    wanted = brought_along(repository, ["build/", "plain"])
    bring_along(checkout.root, [*listed, "gone.local"], clone=task.clone)

    assert listed == (".env", "config/a.local")
    assert wanted == (".env", "build/x", "config/a.local")
    assert (task.clone / "config/a.local").read_text("utf-8") == "config/a.local\n"
    assert task.commit().commit == task.base


def test_without_a_list_nothing_is_looked_for(checkout: Checkout) -> None:
    checkout.write("x.pyc", "x")

    assert brought_along(locate(checkout.root), []) == ()


def test_nothing_is_brought_along_through_a_link_that_leads_out_of_the_clone(
    checkout: Checkout, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (checkout.root / "cfg").symlink_to(outside)
    checkout.commit("A link")
    task = lay_task(checkout.root, tmp_path / "run")
    (checkout.root / "cfg").unlink()
    checkout.write("cfg/a", "a\n")

    bring_along(checkout.root, ["cfg/a"], clone=task.clone)

    assert list(outside.iterdir()) == []
