"""What Kimi leaves in a clone becomes a commit, whole and nothing but that."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from user_checkout import Checkout, Task, lay_task, summary

from kimi_mcp.errors import Refused
from kimi_mcp.workspace.changes import Change
from kimi_mcp.workspace.leftovers import leftovers


def test_added_changed_and_deleted_files_are_told_with_their_line_counts(task: Task) -> None:
    task.kimi.write("src/app.py", "one\n2\nthree\nfour\n")
    task.kimi.write("src/new.py", "new\n")
    (task.clone / "src/old.py").unlink()

    attempt = task.commit()

    assert attempt.changes == (
        Change(
            status="M",
            path="src/app.py",
            mode_before="100644",
            mode_after="100644",
            added=2,
            deleted=1,
        ),
        Change(
            status="A",
            path="src/new.py",
            mode_before="000000",
            mode_after="100644",
            added=1,
            deleted=0,
        ),
        Change(
            status="D",
            path="src/old.py",
            mode_before="100644",
            mode_after="000000",
            added=0,
            deleted=1,
        ),
    )


def test_an_untouched_clone_makes_no_commit(task: Task) -> None:
    os.utime(task.clone / "src/app.py")

    attempt = task.commit()

    assert attempt.commit == task.base
    assert attempt.changes == ()


def test_a_second_attempt_builds_on_the_first_and_tells_all_changes_since_the_base(
    task: Task,
) -> None:
    task.kimi.write("a.txt", "a\n")
    first = task.commit()
    task.kimi.write("b.txt", "b\n")

    second = task.commit(parent=first.commit)
    third = task.commit(parent=second.commit)

    assert summary(second) == [("A", "a.txt"), ("A", "b.txt")]
    assert third == second


def test_kimi_is_author_and_the_user_committer(task: Task) -> None:
    task.kimi.write("a.txt", "a\n")
    commit = task.commit().commit

    told = Checkout(task.ledger.git_dir).git(
        "log", "-1", "--format=%an|%ae|%cn|%ce|%s|%(trailers:only)", commit
    )

    assert told.strip() == (
        "Kimi|kimi@kimi-mcp.invalid|Ada|ada@example.org|Task 1|Kimi-Dispatch: 001"
    )


def test_what_the_base_ignores_is_left_out_unless_the_spec_names_it(task: Task) -> None:
    for path in ("x.pyc", "build/deep/out.bin", "generated/a", "generated/keep", "named/x.pyc"):
        task.kimi.write(path, "text\n")

    attempt = task.commit(named=["build/deep/out.bin", "missing.txt", "src/app.py"])

    assert summary(attempt) == [("A", "build/deep/out.bin"), ("A", "generated/keep")]


def test_an_ignore_file_that_kimi_wrote_hides_nothing(task: Task) -> None:
    task.kimi.write(".gitignore", "*\n")
    task.kimi.write("src/.gitignore", "*\n")
    task.kimi.write(".git/info/exclude", "*\n")
    task.kimi.write("src/hidden.py", "hidden\n")
    task.kimi.write("deep/er/hidden.py", "hidden\n")

    assert summary(task.commit()) == [
        ("M", ".gitignore"),
        ("A", "deep/er/hidden.py"),
        ("A", "src/.gitignore"),
        ("A", "src/hidden.py"),
    ]


def test_ignore_rules_that_kimi_deleted_still_hold(task: Task) -> None:
    (task.clone / ".gitignore").unlink()
    task.kimi.write(".gitignore/x.pyc", "a folder now\n")
    task.kimi.write("x.pyc", "cache\n")

    assert summary(task.commit(named=[".gitignore/x.pyc"])) == [
        ("D", ".gitignore"),
        ("A", ".gitignore/x.pyc"),
    ]


def test_the_users_own_exclude_files_hide_too(
    checkout: Checkout, home: Path, tmp_path: Path
) -> None:
    (home / ".config/git").mkdir(parents=True)
    (home / ".config/git/ignore").write_text("*.swp", encoding="utf-8")
    checkout.write(".git/info/exclude", "/local/\n")
    task = lay_task(checkout.root, tmp_path / "run")
    for path in ("a.swp", "local/x", "seen.txt"):
        task.kimi.write(path, "text\n")

    assert summary(task.commit()) == [("A", "seen.txt")]
    assert task.kimi.git("status", "--porcelain") == "?? seen.txt"


@pytest.mark.parametrize(
    "name", [b"caf\xe9.txt", b"new\nline", b":(top)x", b'"quoted"', b"-dash", b" lead", b"tab\t"]
)
def test_odd_names_survive(task: Task, name: bytes) -> None:
    path = os.fsdecode(name)
    task.kimi.write(path, "odd\n")
    task.kimi.write(f"dir/{path}", "odd\n")

    attempt = task.commit()

    assert summary(attempt) == sorted([("A", path), ("A", f"dir/{path}")], key=lambda pair: pair[1])
    assert path in task.files(attempt.commit)


def test_files_folders_and_links_may_swap_places(checkout: Checkout, tmp_path: Path) -> None:
    for path in ("file_to_folder", "folder_to_file/x", "folder_to_link/x", "file_to_link"):
        checkout.write(path, "text\n")
    (checkout.root / "link_to_folder").symlink_to("src")
    (checkout.root / "link_to_file").symlink_to("README.md")
    checkout.commit()
    task = lay_task(checkout.root, tmp_path / "run")
    for path in ("file_to_folder", "file_to_link", "link_to_folder", "link_to_file"):
        (task.clone / path).unlink()
    for path in ("folder_to_file", "folder_to_link"):
        shutil.rmtree(task.clone / path)
    task.kimi.write("file_to_folder/x", "x\n")
    task.kimi.write("folder_to_file", "x\n")
    task.kimi.write("link_to_folder/app.py", "x\n")
    task.kimi.write("link_to_file", "x\n")
    (task.clone / "folder_to_link").symlink_to("src")
    (task.clone / "file_to_link").symlink_to("/etc/passwd")

    attempt = task.commit()

    assert summary(attempt) == [
        ("D", "file_to_folder"),
        ("A", "file_to_folder/x"),
        ("T", "file_to_link"),
        ("A", "folder_to_file"),
        ("D", "folder_to_file/x"),
        ("A", "folder_to_link"),
        ("D", "folder_to_link/x"),
        ("T", "link_to_file"),
        ("D", "link_to_folder"),
        ("A", "link_to_folder/app.py"),
    ]
    assert {change.path: change.target for change in attempt.changes if change.target} == {
        "file_to_link": "/etc/passwd",
        "folder_to_link": "src",
    }


def test_a_link_to_a_folder_outside_is_stored_as_a_link_and_never_entered(
    task: Task, tmp_path: Path
) -> None:
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret/key").write_text("key", encoding="utf-8")
    (task.clone / "way_out").symlink_to(tmp_path / "secret")

    attempt = task.commit(named=["way_out/key"])

    assert summary(attempt) == [("A", "way_out")]


def test_what_git_cannot_hold_is_named(task: Task) -> None:
    os.mkfifo(task.clone / "pipe")
    (task.clone / "src/old.py").unlink()
    os.mkfifo(task.clone / "src/old.py")
    task.kimi.write("git~1", "short name\n")
    (task.clone / ".gitmodules").symlink_to("README.md")

    attempt = task.commit(named=["pipe"])

    assert summary(attempt) == [("D", "src/old.py")]
    assert attempt.skipped == (
        (".gitmodules", "git refuses this name"),
        ("git~1", "git refuses this name"),
        ("pipe", "neither file, link nor folder"),
        ("src/old.py", "neither file, link nor folder"),
    )


def test_folders_deeper_than_the_longest_path_are_named_and_stop_nothing(task: Task) -> None:
    place = os.open(task.clone, os.O_RDONLY)
    for _ in range(25):
        os.mkdir("d" * 200, dir_fd=place)
        deeper = os.open("d" * 200, os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = deeper
    os.close(place)
    task.kimi.write("a.txt", "a\n")

    attempt = task.commit()
    left = leftovers(task.ledger, attempt.commit, clone=task.clone)
    shutil.rmtree(task.clone / ("d" * 200))

    assert summary(attempt) == [("A", "a.txt")]
    assert [reason for _, reason in attempt.skipped] == ["cannot be read"]
    assert left == {}


def test_a_changed_executable_bit_is_a_change(task: Task) -> None:
    (task.clone / "src/app.py").chmod(0o755)

    (change,) = task.commit().changes

    assert (change.mode_before, change.mode_after) == ("100644", "100755")


def test_a_change_of_the_same_size_with_a_forged_time_is_seen(task: Task) -> None:
    file = task.clone / "src/app.py"
    facts = file.stat()
    file.write_text("one\nTWO\nthree\n", encoding="utf-8")
    os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))

    assert summary(task.commit()) == [("M", "src/app.py")]


def test_binary_content_has_no_line_counts(task: Task) -> None:
    task.kimi.write("blob", b"\0\1\2")

    (change,) = task.commit().changes

    assert (change.added, change.deleted) == (None, None)


def test_a_submodule_of_the_base_is_kept_and_changes_in_it_are_told(
    checkout: Checkout, tmp_path: Path
) -> None:
    library = Checkout(tmp_path / "library")
    library.root.mkdir()
    library.git("init", "--quiet")
    library.write("lib.py", "lib\n")
    library.commit()
    checkout.git("submodule", "--quiet", "add", str(library.root), "vendor/lib")
    checkout.commit("Submodule")
    task = lay_task(checkout.root, tmp_path / "run")
    task.kimi.write("vendor/lib/changed.py", "x\n")
    task.kimi.write("vendor/lib/.git/config", "x\n")
    (task.clone / "vendor/lib/dead").symlink_to("nowhere")

    attempt = task.commit(named=["vendor/lib/changed.py"])

    assert attempt.commit == task.base
    assert attempt.in_submodules == ("vendor/lib/changed.py", "vendor/lib/dead")


def test_a_submodule_folder_that_vanished_is_kept_in_the_commit(
    checkout: Checkout, tmp_path: Path
) -> None:
    head = checkout.git("rev-parse", "HEAD")
    checkout.git("update-index", "--add", "--cacheinfo", f"160000,{head},sub")
    checkout.git("commit", "--quiet", "--message", "Submodule")
    task = lay_task(checkout.root, tmp_path / "run")
    (task.clone / "sub").rmdir()

    assert task.commit().commit == task.base


def test_line_endings_are_stored_as_the_user_has_set_them(
    checkout: Checkout, home: Path, tmp_path: Path
) -> None:
    with (home / ".gitconfig").open("a", encoding="utf-8") as config:
        config.write("[core]\n\tautocrlf = true\n\tsafecrlf = true\n")
    task = lay_task(checkout.root, tmp_path / "run")
    assert (task.clone / "src/app.py").read_bytes() == b"one\r\ntwo\r\nthree\r\n"
    task.kimi.write("src/app.py", b"one\r\ntwo\r\nthree\r\nfour\r\n")
    task.kimi.write("src/mixed.py", b"one\r\ntwo\n")

    attempt = task.commit()

    assert [(change.path, change.added, change.deleted) for change in attempt.changes] == [
        ("src/app.py", 1, 0),
        ("src/mixed.py", 2, 0),
    ]
    assert task.blob(attempt.commit, "src/app.py") == b"one\ntwo\nthree\nfour\n"


def test_files_outside_the_sparse_patterns_are_not_deleted(
    checkout: Checkout, tmp_path: Path
) -> None:
    checkout.write("other/big.bin", "big\n")
    checkout.commit()
    checkout.git("sparse-checkout", "set", "src")
    task = lay_task(checkout.root, tmp_path / "run")
    assert not (task.clone / "other").exists()
    assert task.kimi.git("status", "--porcelain") == ""
    task.kimi.write("src/app.py", "changed\n")

    attempt = task.commit()

    assert summary(attempt) == [("M", "src/app.py")]
    assert "other/big.bin" in task.files(attempt.commit)


def test_a_clone_that_is_gone_or_replaced_is_refused(task: Task, tmp_path: Path) -> None:
    task.clone.rename(tmp_path / "moved")
    with pytest.raises(Refused, match="gone or was replaced"):
        task.commit()
    task.clone.symlink_to(tmp_path / "moved")

    with pytest.raises(Refused, match="gone or was replaced"):
        task.commit()


def test_a_lock_left_by_a_killed_git_does_not_stop_the_next(task: Task) -> None:
    task.index.with_name("index.lock").touch()
    task.kimi.write("a.txt", "a\n")

    assert summary(task.commit()) == [("A", "a.txt")]


def test_tasks_that_share_a_ledger_commit_at_the_same_time(
    checkout: Checkout, tmp_path: Path
) -> None:
    def lay(number: int) -> Task:
        return lay_task(checkout.root, tmp_path / "run", number=number)

    with ThreadPoolExecutor(8) as pool:
        tasks = list(pool.map(lay, range(8)))
        for number, task in enumerate(tasks):
            task.kimi.write(f"task{number}.txt", f"{number}\n" * 50)
            task.kimi.write("same.txt", "same\n")
        attempts = list(pool.map(Task.commit, tasks))

    for number, attempt in enumerate(attempts):
        assert summary(attempt) == [("A", "same.txt"), ("A", f"task{number}.txt")]
    Checkout(tasks[0].ledger.git_dir).git("fsck", "--strict")


NAMES = st.sampled_from(["a", "b", "c.pyc", "build", "src", "README.md", "keep"])


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    work=st.lists(
        st.tuples(
            st.sampled_from(["write", "folder", "link", "delete"]),
            st.lists(NAMES, min_size=1, max_size=3).map("/".join),
        ),
        max_size=8,
    )
)
def test_whatever_kimi_did_the_commit_is_what_git_itself_would_store(
    checkout: Checkout,
    tmp_path_factory: pytest.TempPathFactory,
    work: list[tuple[str, str]],
) -> None:
    task = lay_task(checkout.root, tmp_path_factory.mktemp("run"))
    for verb, path in work:
        place = task.clone / path
        if any(parent.is_symlink() or parent.is_file() for parent in place.parents):
            continue
        if verb != "folder" and os.path.lexists(place):
            shutil.rmtree(place) if place.is_dir() and not place.is_symlink() else place.unlink()
        if verb == "write":
            task.kimi.write(path, path)
        elif verb == "folder" and not os.path.lexists(place):
            place.mkdir(parents=True)
        elif verb == "link":
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to("src")
    base_rules = task.repository.root / ".gitignore"
    if not (task.clone / ".gitignore").exists():
        shutil.copy(base_rules, task.clone / ".gitignore")

    attempt = task.commit()

    task.kimi.git("add", "--all")
    expected = task.kimi.git("ls-files").splitlines()
    assert task.files(attempt.commit) == expected
