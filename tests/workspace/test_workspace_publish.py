"""Results reach the user's repository whole, and only where nobody else stands."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from user_checkout import DISPATCH, Checkout, Task

from kimi_mcp.errors import Refused
from kimi_mcp.workspace.publish import check_prefix_free, keep_attempt, publish_branch

BRANCH = f"kimi/{DISPATCH}/task-1"


def publish(task: Task, commit: str, *, expected: str | None, prefix: str = "kimi") -> str:
    return publish_branch(
        task.repository,
        task.ledger,
        prefix=prefix,
        dispatch_id=DISPATCH,
        task=1,
        commit=commit,
        expected=expected,
    )


def test_an_attempt_is_kept_outside_the_branches(task: Task, checkout: Checkout) -> None:
    task.kimi.write("a.txt", "a\n")
    commit = task.commit().commit

    ref = keep_attempt(
        task.repository, task.ledger, dispatch_id=DISPATCH, task=1, attempt=2, commit=commit
    )

    assert ref == f"refs/kimi/{DISPATCH}/task-1.a2"
    assert checkout.git("rev-parse", ref) == commit
    assert checkout.git("branch", "--list", "--format=%(refname:short)") == "main"
    assert checkout.git("show", f"{ref}:a.txt") == "a"


def test_an_attempt_without_any_work_can_be_kept_too(task: Task, checkout: Checkout) -> None:
    ref = keep_attempt(
        task.repository, task.ledger, dispatch_id=DISPATCH, task=1, attempt=1, commit=task.base
    )

    assert checkout.git("rev-parse", ref) == task.base


def test_a_result_of_many_files_arrives_as_one_pack(task: Task, checkout: Checkout) -> None:
    for number in range(150):
        task.kimi.write(f"many/{number}", f"{number}\n")
    commit = task.commit().commit

    publish(task, commit, expected=None)

    assert len(list(checkout.root.glob(".git/objects/pack/*.pack"))) == 1
    checkout.git("fsck", "--strict")
    assert checkout.git("show", f"{BRANCH}:many/149") == "149"


def test_a_branch_moves_from_where_it_was_expected_only(task: Task, checkout: Checkout) -> None:
    task.kimi.write("a.txt", "a\n")
    first = task.commit().commit
    task.kimi.write("b.txt", "b\n")
    second = task.commit(parent=first).commit

    assert publish(task, first, expected=None) == BRANCH
    assert publish(task, first, expected=None) == BRANCH
    assert publish(task, second, expected=first) == BRANCH
    with pytest.raises(Refused, match=f"{BRANCH} is at {second}, not at {task.base}"):
        publish(task, first, expected=task.base)
    with pytest.raises(Refused, match="not at nothing"):
        publish(task, first, expected=None)

    assert checkout.git("rev-parse", BRANCH) == second


def test_a_branch_that_is_checked_out_is_not_moved(task: Task, checkout: Checkout) -> None:
    task.kimi.write("a.txt", "a\n")
    first = task.commit().commit
    publish(task, first, expected=None)
    checkout.git("checkout", "--quiet", BRANCH)
    task.kimi.write("b.txt", "b\n")
    second = task.commit(parent=first).commit

    with pytest.raises(Refused, match="is checked out in"):
        publish(task, second, expected=first)

    assert checkout.git("status", "--porcelain") == ""
    assert checkout.git("rev-parse", "HEAD") == first


def test_of_two_who_create_a_branch_at_once_one_is_refused(task: Task, checkout: Checkout) -> None:
    task.kimi.write("a.txt", "a\n")
    first = task.commit().commit
    task.kimi.write("b.txt", "b\n")
    second = task.commit(parent=first).commit

    def try_to_publish(commit: str) -> str:
        try:
            return publish(task, commit, expected=None)
        except Refused:
            return "refused"

    with ThreadPoolExecutor(2) as pool:
        ends = sorted(pool.map(try_to_publish, [first, second]))

    assert ends == [BRANCH, "refused"]
    assert checkout.git("rev-parse", BRANCH) in {first, second}


def test_a_free_prefix_passes(task: Task, checkout: Checkout) -> None:
    checkout.git("branch", "kimi/002-other-aaaa/task-1")
    checkout.git("branch", "kimifoo")
    before = checkout.git("for-each-ref")

    check_prefix_free(task.repository, "kimi", DISPATCH)
    check_prefix_free(task.repository, "work/kimi", DISPATCH)

    assert checkout.git("for-each-ref") == before


@pytest.mark.parametrize(
    ("branch", "prefix"),
    [("kimi", "kimi"), ("team", "team/kimi"), (f"kimi/{DISPATCH}", "kimi"), (BRANCH, "kimi")],
)
def test_a_branch_in_the_way_is_refused_by_name(
    task: Task, checkout: Checkout, branch: str, prefix: str
) -> None:
    checkout.git("branch", branch)

    with pytest.raises(Refused, match=branch):
        check_prefix_free(task.repository, prefix, DISPATCH)


@pytest.mark.parametrize("prefix", ["", "-x", "a..b", "a b", "/kimi", "kimi/", "x.lock", "~"])
def test_a_prefix_that_makes_no_branch_name_is_refused(task: Task, prefix: str) -> None:
    with pytest.raises(Refused, match="no legal branch name"):
        check_prefix_free(task.repository, prefix, DISPATCH)
