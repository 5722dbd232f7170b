"""Finding the user's repository and reading what a dispatch needs to know of it."""

from pathlib import Path

import pytest
from user_checkout import Checkout

from kimi_mcp.errors import GitFailed, Refused
from kimi_mcp.workspace import git
from kimi_mcp.workspace.repository import Identity, dirty_files, identity, locate, resolve


def test_a_repository_is_found_from_any_place_inside(checkout: Checkout) -> None:
    head = checkout.git("rev-parse", "HEAD")

    found = locate(checkout.root / "src/not/there/yet.py")

    assert (found.root, found.head, found.branch) == (checkout.root, head, "main")
    assert found.git_dir == found.common_dir == checkout.root / ".git"
    assert found.object_format == "sha1"


def test_a_linked_worktree_has_its_own_git_folder_and_shares_the_common_one(
    checkout: Checkout, tmp_path: Path
) -> None:
    checkout.git("worktree", "add", "--quiet", "-b", "side", str(tmp_path / "linked"))

    found = locate(tmp_path / "linked")

    assert (found.root, found.branch) == (tmp_path / "linked", "side")
    assert found.git_dir == checkout.root / ".git/worktrees/linked"
    assert found.common_dir == checkout.root / ".git"
    assert found.objects == checkout.root / ".git/objects"


def test_no_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="No git repository around"):
        locate(tmp_path)


def test_a_bare_repository_is_refused(checkout: Checkout, tmp_path: Path) -> None:
    checkout.git("clone", "--quiet", "--bare", ".", str(tmp_path / "bare.git"))

    with pytest.raises(Refused, match="bare repository"):
        locate(tmp_path / "bare.git")


def test_a_repository_without_a_commit_is_refused(tmp_path: Path) -> None:
    Checkout(tmp_path).git("init", "--quiet")

    with pytest.raises(Refused, match="no commit yet"):
        locate(tmp_path)


def test_revisions_are_resolved_to_commits(checkout: Checkout) -> None:
    first = checkout.git("rev-parse", "HEAD")
    checkout.git("tag", "--annotate", "--message=x", "v1")
    second = checkout.commit("Second")
    repository = locate(checkout.root)

    assert resolve(repository, "HEAD") == resolve(repository, "main") == second
    assert resolve(repository, "v1") == resolve(repository, "HEAD~1") == first
    assert resolve(repository, first[:8]) == first


@pytest.mark.parametrize(
    "revision", ["mian", "", "--help", "HEAD^{tree}", "a\nb", "a\0b", "v1..v2"]
)
def test_unknown_revisions_are_refused_with_the_nearest(checkout: Checkout, revision: str) -> None:
    with pytest.raises(Refused, match=r"(?s)No commit .* Nearest: \"main\"\."):
        resolve(locate(checkout.root), revision)


def test_the_user_is_who_git_says(checkout: Checkout) -> None:
    assert identity(locate(checkout.root)) == Identity("Ada", "ada@example.org")


def test_a_user_unknown_to_git_still_has_a_name(checkout: Checkout, home: Path) -> None:
    (home / ".gitconfig").unlink()

    name, email = identity(locate(checkout.root))

    assert name
    assert "@" in email


def test_uncommitted_files_are_named_staged_or_not(checkout: Checkout) -> None:
    checkout.write("src/app.py", "changed\n")
    checkout.write("staged.txt", "staged\n")
    checkout.git("add", "staged.txt")
    (checkout.root / "src/old.py").unlink()
    checkout.write("folder/untracked \n.txt", "x\n")
    checkout.write("cache.pyc", "ignored\n")
    index = (checkout.root / ".git/index").read_bytes()

    assert dirty_files(locate(checkout.root)) == (
        "folder/untracked \n.txt",
        "src/app.py",
        "src/old.py",
        "staged.txt",
    )
    assert (checkout.root / ".git/index").read_bytes() == index


def test_a_failing_git_is_told_with_its_own_words(checkout: Checkout) -> None:
    with pytest.raises(GitFailed, match=r"`git cat-file` failed with exit code 128: .*nonsense"):
        git.run(["cat-file", "-p", "nonsense"], git_dir=checkout.root / ".git")


def test_a_missing_git_is_told_as_such(
    checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(GitFailed, match="not on PATH"):
        locate(checkout.root)
