"""Results of several tasks become one commit, or a conflict that is named."""

from pathlib import Path

import pytest
from user_checkout import Checkout, Task, lay_task

from kimi_mcp.workspace.clone import lay_clone
from kimi_mcp.workspace.merge import Conflict, merge


@pytest.fixture
def tasks(checkout: Checkout, tmp_path: Path) -> list[Task]:
    return [lay_task(checkout.root, tmp_path / "run", number=number) for number in (1, 2, 3)]


def work(task: Task, path: str, text: str) -> str:
    task.kimi.write(path, text)
    return task.commit().commit


def test_disjoint_results_merge_in_order(tasks: list[Task]) -> None:
    commits = [work(task, f"{n}.txt", "x\n") for n, task in enumerate(tasks)]

    merged = merge(tasks[0].ledger, commits, message="Merge tasks\n")

    assert isinstance(merged, str)
    assert {"0.txt", "1.txt", "2.txt"} <= set(tasks[0].files(merged))
    ledger = Checkout(tasks[0].ledger.git_dir)
    assert ledger.git("log", "-1", "--format=%an|%cn|%s", merged) == "Ada|Ada|Merge tasks"
    assert ledger.git("rev-parse", f"{merged}^2") == commits[2]
    assert ledger.git("rev-parse", f"{merged}^1^1") == commits[0]


def test_one_commit_is_the_result_as_it_is(task: Task) -> None:
    commit = work(task, "a.txt", "a\n")

    assert merge(task.ledger, [commit], message="m") == commit
    assert merge(task.ledger, [commit, commit], message="m") == commit


def test_what_another_result_contains_is_not_merged_again(task: Task) -> None:
    first = work(task, "a.txt", "a\n")
    task.kimi.write("b.txt", "b\n")
    second = task.commit(parent=first).commit

    assert merge(task.ledger, [first, second], message="m") == second
    assert merge(task.ledger, [second, task.base, first], message="m") == second


def test_a_conflict_names_its_files_and_ends_the_merge(tasks: list[Task]) -> None:
    ours = work(tasks[0], "src/app.py", "ours\n")
    theirs = work(tasks[1], "src/app.py", "theirs\n")
    last = work(tasks[2], "z.txt", "z\n")

    outcome = merge(tasks[0].ledger, [ours, theirs, last], message="m")

    assert outcome == Conflict(files=("src/app.py",), tree="any")


def test_changes_to_one_file_in_different_places_merge(checkout: Checkout, tmp_path: Path) -> None:
    lines = [f"{number}\n" for number in range(20)]
    checkout.write("long.txt", "".join(lines))
    checkout.commit()
    first = lay_task(checkout.root, tmp_path / "run", number=1)
    second = lay_task(checkout.root, tmp_path / "run", number=2)
    ours = work(first, "long.txt", "".join(["top\n", *lines[1:]]))
    theirs = work(second, "long.txt", "".join([*lines[:-1], "bottom\n"]))

    merged = merge(first.ledger, [ours, theirs], message="m")

    assert isinstance(merged, str)
    assert first.blob(merged, "long.txt").decode() == "".join(["top\n", *lines[1:-1], "bottom\n"])


def test_a_task_can_start_from_a_merge(tasks: list[Task], tmp_path: Path) -> None:
    commits = [work(task, f"{n}.txt", "x\n") for n, task in enumerate(tasks)]
    merged = merge(tasks[0].ledger, commits, message="m")
    assert isinstance(merged, str)

    clone = tmp_path / "dependent/clone"
    lay_clone(tasks[0].ledger, merged, clone=clone, index=tmp_path / "dependent/index")

    assert (clone / "2.txt").exists()
    assert Checkout(clone).git("status", "--porcelain") == ""
    assert Checkout(clone).git("rev-parse", "HEAD") == merged
