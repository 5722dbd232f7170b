"""What lies in a clone beside the commit is stamped, compared and moved out of a check's sight."""

import os
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from user_checkout import Task

from kimi_mcp.workspace.leftovers import fresh, leftovers, set_aside
from kimi_mcp.workspace.restore import restore


def found(task: Task) -> set[str]:
    return set(leftovers(task.ledger, task.base, clone=task.clone))


def test_a_fresh_clone_has_no_leftovers(task: Task) -> None:
    assert found(task) == set()


def test_ignored_files_nested_git_folders_links_pipes_and_empty_folders_are_found(
    task: Task,
) -> None:
    task.kimi.write("build/out.bin", "x")
    task.kimi.write("vend/.git/config", "x")
    (task.clone / "empty").mkdir()
    (task.clone / "link").symlink_to("/etc")
    os.mkfifo(task.clone / "pipe")

    assert found(task) == {"build/out.bin", "vend/.git/config", "empty", "link", "pipe"}


def test_what_setup_made_is_not_fresh_unless_it_was_changed_after(task: Task) -> None:
    for name in ("kept", "forged", "replaced", "removed"):
        task.kimi.write(f"build/{name}", "setup")
    before = leftovers(task.ledger, task.base, clone=task.clone)
    forged = task.clone / "build/forged"
    facts = forged.stat()
    forged.write_text("SETUP", encoding="utf-8")
    os.utime(forged, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    task.kimi.write("build/other", "setup").rename(task.clone / "build/replaced")
    (task.clone / "build/removed").unlink()
    task.kimi.write("build/new", "new")

    after = leftovers(task.ledger, task.base, clone=task.clone)

    assert fresh(before, after) == ("build/forged", "build/new", "build/replaced")


def test_setting_aside_keeps_relative_paths_and_drops_emptied_folders(
    task: Task, tmp_path: Path
) -> None:
    task.kimi.write("build/deep/new", "new")
    task.kimi.write("src/x.pyc", "new")
    (task.clone / "link").symlink_to("src")
    (task.clone / "hollow").mkdir()

    set_aside(task.clone, found(task), into=tmp_path / "aside")

    assert found(task) == set()
    assert not (task.clone / "build").exists()
    assert (task.clone / "src/app.py").exists()
    assert (tmp_path / "aside/build/deep/new").read_text(encoding="utf-8") == "new"
    assert (tmp_path / "aside/link").is_symlink()
    assert (tmp_path / "aside/hollow").is_dir()


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    names=st.sets(
        st.lists(st.sampled_from(["a", "b", ".git", "build"]), min_size=2, max_size=5).map(
            "/".join
        ),
        max_size=5,
    )
)
def test_after_setting_all_aside_nothing_is_left(
    task: Task, tmp_path: Path, names: set[str]
) -> None:
    for number, name in enumerate(sorted(names)):
        task.kimi.write(f"root/{name}/file{number}", "x")
    leftover = leftovers(task.ledger, task.base, clone=task.clone)
    assert len(leftover) == len(names)

    set_aside(task.clone, leftover, into=tmp_path / f"aside{id(names)}")

    assert found(task) == set()
    assert not (task.clone / "root").exists()


def test_restoring_no_path_leaves_every_file_as_it_is(task: Task) -> None:
    task.kimi.write("src/app.py", "changed\n")

    restore(task.ledger, task.base, [], clone=task.clone, index=task.index)

    assert (task.clone / "src/app.py").read_text(encoding="utf-8") == "changed\n"
