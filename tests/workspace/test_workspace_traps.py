"""Nothing that Kimi can write is run by our git; each trap is proven to work with plain git."""

import shutil
import subprocess
from pathlib import Path

import pytest
from user_checkout import DISPATCH, Task, lay_task

from kimi_mcp.workspace.clone import renew_git
from kimi_mcp.workspace.commit import Attempt
from kimi_mcp.workspace.diff import diff
from kimi_mcp.workspace.leftovers import fresh, leftovers, set_aside
from kimi_mcp.workspace.merge import merge
from kimi_mcp.workspace.publish import keep_attempt, publish_branch

HOOKS = ("post-index-change", "post-checkout", "pre-commit", "reference-transaction", "post-merge")


def plant(git_dir: Path, work_tree: Path, marker: Path) -> None:
    """Make every way known to us in which git runs a program that its folder names."""
    trap = work_tree / "trap.sh"
    trap.write_text(f'#!/bin/sh\necho "$0 $*" >> "{marker}"\ncat\n', encoding="utf-8")
    trap.chmod(0o755)
    for key in (
        "core.fsmonitor",
        "diff.external",
        "filter.evil.clean",
        "filter.evil.smudge",
        "diff.evil.textconv",
        "diff.evil.command",
        "merge.evil.driver",
        "gpg.program",
        "core.sshCommand",
        "core.pager",
        "core.alternateRefsCommand",
        "uploadpack.packObjectsHook",
    ):
        config = git_dir / "config"
        subprocess.run(["git", "config", "--file", config, key, trap], check=True)
    for key in ("commit.gpgSign", "filter.evil.required"):
        subprocess.run(["git", "config", "--file", git_dir / "config", key, "true"], check=True)
    (git_dir / "hooks").mkdir(exist_ok=True)
    for name in HOOKS:
        shutil.copy(trap, git_dir / "hooks" / name)
    (work_tree / ".gitattributes").write_text(
        "* filter=evil diff=evil merge=evil\n", encoding="utf-8"
    )


def run_all_of_ours(task: Task) -> Attempt:
    """Do all that is ever done with a clone and its result."""
    before = leftovers(task.ledger, task.base, clone=task.clone)
    attempt = task.commit()
    after = leftovers(task.ledger, attempt.commit, clone=task.clone)
    set_aside(task.clone, fresh(before, after), into=task.folder / "aside")
    renew_git(
        task.ledger,
        attempt.commit,
        clone=task.clone,
        index=task.index,
        aside=task.folder / "aside-git",
    )
    other = lay_task(task.repository.root, task.folder.parent, number=2)
    other.kimi.write("other.txt", "other\n")
    merged = merge(task.ledger, [attempt.commit, other.commit().commit], message="Merge\n")
    assert isinstance(merged, str)
    keep_attempt(
        task.repository,
        task.ledger,
        dispatch_id=DISPATCH,
        task=1,
        attempt=1,
        commit=attempt.commit,
    )
    publish_branch(
        task.repository,
        task.ledger,
        prefix="kimi",
        dispatch_id=DISPATCH,
        task=None,
        commit=merged,
        expected=None,
    )
    diff(task.repository.common_dir, task.base, merged, limit_bytes=100_000)
    return attempt


def plain_git_springs_it(clone: Path, marker: Path, *commands: list[str]) -> bool:
    """Whether plain git, as a careless program would run it, runs the planted program."""
    for command in commands:
        subprocess.run(["git", *command], cwd=clone, capture_output=True, check=False)
    is_sprung = marker.exists()
    marker.unlink(missing_ok=True)
    return is_sprung


@pytest.mark.parametrize(
    "command", [["status"], ["add", "--all"], ["diff"], ["checkout", "-b", "x"]]
)
def test_traps_in_the_clones_git_run_nothing(
    task: Task, tmp_path: Path, command: list[str]
) -> None:
    marker = tmp_path / "marker"
    plant(task.clone / ".git", task.clone, marker)
    task.kimi.write("src/app.py", "changed\n")
    assert plain_git_springs_it(task.clone, marker, command)

    attempt = run_all_of_ours(task)

    assert not marker.exists()
    assert task.blob(attempt.commit, "src/app.py") == b"changed\n"


def test_traps_in_a_nested_repository_run_nothing_and_its_files_are_committed(
    task: Task, tmp_path: Path
) -> None:
    marker = tmp_path / "marker"
    nested = task.clone / "vend"
    nested.mkdir()
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "x"]):
        (nested / "lib.py").write_text("lib\n", encoding="utf-8")
        subprocess.run(["git", *command], cwd=nested, check=True)
    plant(nested / ".git", nested, marker)
    (nested / "lib.py").write_text("changed\n", encoding="utf-8")
    task.kimi.git("add", "vend")
    assert plain_git_springs_it(task.clone, marker, ["status"], ["diff"])

    attempt = run_all_of_ours(task)

    assert not marker.exists()
    assert task.blob(attempt.commit, "vend/lib.py") == b"changed\n"
    assert {path for path in task.files(attempt.commit) if path.startswith("vend/")} == {
        "vend/.gitattributes",
        "vend/lib.py",
        "vend/trap.sh",
    }


@pytest.mark.parametrize("kind", ["file", "link", "absent", "garbage"])
def test_a_rewritten_git_is_neither_followed_nor_believed(
    task: Task, tmp_path: Path, kind: str
) -> None:
    marker = tmp_path / "marker"
    elsewhere = tmp_path / "elsewhere"
    shutil.move(task.clone / ".git", elsewhere)
    plant(elsewhere, task.clone, marker)
    git = task.clone / ".git"
    if kind == "file":
        git.write_text(f"gitdir: {elsewhere}\n", encoding="utf-8")
    elif kind == "link":
        git.symlink_to(elsewhere)
    elif kind == "garbage":
        git.mkdir()
        (git / "HEAD").write_bytes(b"\0\xff")
    if kind in {"file", "link"}:
        assert plain_git_springs_it(task.clone, marker, ["status"])
    before = sorted(elsewhere.iterdir())

    attempt = run_all_of_ours(task)

    assert not marker.exists()
    assert ("A", "trap.sh") in [(change.status, change.path) for change in attempt.changes]
    assert sorted(elsewhere.iterdir()) == before
    assert git.is_dir()
    assert not git.is_symlink()
    assert task.kimi.git("rev-parse", "HEAD") == attempt.commit


def test_traps_in_the_users_own_repository_stay_untouched_and_unrun(
    task: Task, tmp_path: Path
) -> None:
    marker = tmp_path / "marker"
    plant(task.repository.git_dir, tmp_path, marker)
    (tmp_path / ".gitattributes").rename(task.repository.git_dir / "info/attributes")
    assert plain_git_springs_it(task.repository.root, marker, ["status"])

    task.kimi.write("src/app.py", "changed\n")
    run_all_of_ours(task)

    assert not marker.exists()


def test_inherited_git_variables_lead_nowhere(
    task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "marker"
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(task.clone, elsewhere)
    plant(elsewhere / ".git", elsewhere, marker)
    monkeypatch.setenv("GIT_DIR", str(elsewhere / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(elsewhere / ".git/index"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(elsewhere / "trap.sh"))
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(elsewhere / ".git/objects"))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "filter.evil.clean")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(elsewhere / "trap.sh"))
    assert plain_git_springs_it(elsewhere, marker, ["status"])
    before = (elsewhere / ".git/index").read_bytes()

    task.kimi.write("src/app.py", "changed\n")
    task.kimi.write(".gitattributes", "* filter=evil diff=evil\n")
    attempt = task.commit()
    diff(task.ledger.git_dir, task.base, attempt.commit, limit_bytes=100_000)

    assert not marker.exists()
    assert [change.path for change in attempt.changes] == [".gitattributes", "src/app.py"]
    assert (elsewhere / ".git/index").read_bytes() == before
