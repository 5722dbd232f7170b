"""A diff to be read: within its limit, of the paths asked for, without the run folder."""

import shutil

from user_checkout import DISPATCH, Checkout, Task

from kimi_mcp.workspace.diff import diff
from kimi_mcp.workspace.publish import keep_attempt


def test_a_diff_is_read_from_the_users_repository_after_the_run_folder_is_gone(
    task: Task, checkout: Checkout
) -> None:
    checkout.git("config", "diff.noprefix", "true")
    task.kimi.write("src/app.py", "one\n2\nthree\n")
    commit = task.commit().commit
    keep_attempt(
        task.repository, task.ledger, dispatch_id=DISPATCH, task=1, attempt=1, commit=commit
    )
    shutil.rmtree(task.ledger.git_dir.parent)

    shown = diff(task.repository.common_dir, task.base, commit, limit_bytes=10_000)

    assert shown.left_out == ()
    assert shown.text.startswith("diff --git a/src/app.py b/src/app.py\n")
    assert "\n-two\n+2\n" in shown.text
    assert checkout.git("rev-parse", f"refs/kimi/{DISPATCH}/task-1.a1") == commit


def test_files_that_do_not_fit_are_named_and_smaller_ones_still_shown(task: Task) -> None:
    task.kimi.write("a_large.txt", "long line of text\n" * 1000)
    task.kimi.write("b_small.txt", "diff --git a/fake b/fake\n")
    commit = task.commit().commit

    shown = diff(task.ledger.git_dir, task.base, commit, limit_bytes=1000)

    assert shown.left_out == ("a/a_large.txt b/a_large.txt",)
    assert "b_small.txt" in shown.text
    assert "+diff --git a/fake b/fake\n" in shown.text
    assert "long line" not in shown.text


def test_a_diff_of_paths_takes_them_literally(task: Task) -> None:
    for path in ("a*.txt", "ab.txt", "src/deep/x.txt"):
        task.kimi.write(path, "x\n")
    commit = task.commit().commit

    one = diff(task.ledger.git_dir, task.base, commit, paths=["a*.txt"], limit_bytes=10_000)
    folder = diff(task.ledger.git_dir, task.base, commit, paths=["src"], limit_bytes=10_000)

    assert "a*.txt" in one.text
    assert "ab.txt" not in one.text
    assert "src/deep/x.txt" in folder.text
    assert "ab.txt" not in folder.text


def test_what_is_no_text_is_still_shown_as_text(task: Task) -> None:
    task.kimi.write("latin\xe9.txt", b"caf\xe9\n")
    task.kimi.write("blob", b"\0\1")
    commit = task.commit().commit

    shown = diff(task.ledger.git_dir, task.base, commit, limit_bytes=10_000).text

    assert "+caf\ufffd" in shown
    assert "b/latin\xe9.txt" in shown
    assert "Binary files /dev/null and b/blob differ" in shown


def test_nothing_changed_is_an_empty_diff(task: Task) -> None:
    shown = diff(task.ledger.git_dir, task.base, task.base, limit_bytes=10)

    assert (shown.text, shown.left_out) == ("", ())
