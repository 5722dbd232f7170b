"""land_result: what of a dispatch is landed, what is refused, and what goes afterwards."""

import re

import pytest

from dispatching import branches, pinned
from harvest import Harvest, Work, harvested
from kimi_mcp.dispatch.landing.land import LandWish, land
from kimi_mcp.errors import Refused
from kimi_mcp.history.landings import How
from kimi_mcp.lifecycle import Outcome
from kimi_mcp.review.listing import dispatch_page
from kimi_mcp.review.showing import show
from kimi_mcp.review.view import View
from sandbox import Sandbox

ONE = Work(files={"one.py": "1\n"})
TWO = Work(files={"two.py": "2\n"})
AFTER_ONE = Work(files={"after.py": "3\n"}, needs=(1,))
APP = Work(files={"app.py": "def greet(name):\n    return 'Hi ' + name\n"})
SAME_AS_APP = Work(files={"app.py": "def greet(name):\n    return 'Bye ' + name\n"})


def landed(
    harvest: Harvest, how: How, *, tasks: tuple[int, ...] | None = None, head: str | None = None
) -> str:
    return land(harvest.bench, harvest.id, LandWish(how=how, tasks=tasks, head=head))


def test_applied_work_is_uncommitted_and_its_branches_stay(sandbox: Sandbox):
    harvest = harvested(sandbox, ONE, TWO)

    text = landed(harvest, How.APPLY)

    assert sandbox.git("status", "--porcelain") == "?? one.py\n?? two.py"
    assert text.startswith(f"{harvest.id}: applied to {sandbox.root} (main), uncommitted")
    assert '2 files: "one.py", "two.py"' in text
    assert branches(sandbox) == [harvest.branch(), harvest.branch(1), harvest.branch(2)]
    assert "Applied to the user's checkout" in show(harvest.bench, harvest.id)


@pytest.mark.parametrize("how", [How.SQUASH, How.MERGE])
def test_what_was_landed_loses_its_branches_refs_and_clones_and_keeps_its_ids(
    sandbox: Sandbox, how: How
):
    harvest = harvested(sandbox, ONE, TWO, AFTER_ONE)

    text = landed(harvest, how)

    head = sandbox.git("rev-parse", "main")
    assert text.startswith(f"{harvest.id}: landed on main as {head[:10]} ({how}), 3 files: ")
    assert "4 branches removed" in text
    assert branches(sandbox) == []
    assert pinned(sandbox) == []
    assert not harvest.bench.state.run(harvest.id).root.exists()
    (landing,) = harvest.bench.history.landings(harvest.id)
    assert (landing.head, landing.result, landing.tasks) == (harvest.merged, head, (1, 2, 3))
    assert [task.commit_id for task in harvest.bench.history.tasks(harvest.id)] == [
        *harvest.commits.values()
    ]
    assert f"Landed on main as {head[:10]}" in show(harvest.bench, harvest.id)
    assert sandbox.git("status", "--porcelain") == ""


def test_a_landed_dispatch_can_be_looked_at_when_git_has_tidied_up(sandbox: Sandbox):
    harvest = harvested(sandbox, ONE)
    landed(harvest, How.SQUASH)
    sandbox.git("reflog", "expire", "--expire=now", "--all")
    sandbox.git("gc", "--quiet", "--prune=now")

    assert "Landed on main as" in show(harvest.bench, harvest.id)
    assert "is no longer in the repository" in show(harvest.bench, harvest.id, view=View.DIFF)
    page = dispatch_page(harvest.bench, harvest.id)
    assert f"commit {harvest.commits[1][:10]}, kept as" in page
    head = sandbox.git("rev-parse", "main")
    assert re.search(rf"squash of tasks 1, commit \w+ to main as {head[:10]}", page)


def test_a_squash_says_what_was_built(sandbox: Sandbox):
    harvest = harvested(sandbox, ONE, TWO)

    landed(harvest, How.SQUASH)

    assert sandbox.git("log", "-1", "--format=%B") == (
        f"Add login\n\n- Part 1\n- Part 2\n\nKimi-Dispatch: {harvest.id}"
    )


@pytest.mark.parametrize("how", [How.SQUASH, How.MERGE])
def test_landing_twice_changes_nothing_and_says_so(sandbox: Sandbox, how: How):
    harvest = harvested(sandbox, ONE)
    landed(harvest, how)
    head = sandbox.git("rev-parse", "main")

    again = landed(harvest, how)

    assert "landed already, on main as" in again
    assert "Nothing was changed" in again
    assert sandbox.git("rev-parse", "main") == head


def test_applying_twice_changes_nothing_and_says_so(sandbox: Sandbox):
    harvest = harvested(sandbox, ONE)
    landed(harvest, How.APPLY)

    assert "holds all of it already. Nothing was changed" in landed(harvest, How.APPLY)
    assert len(harvest.bench.history.landings(harvest.id)) == 1


def test_a_task_brings_along_what_it_depends_on_and_says_so(sandbox: Sandbox):
    harvest = harvested(sandbox, ONE, TWO, AFTER_ONE)

    text = landed(harvest, How.SQUASH, tasks=(3,))

    assert sandbox.git("ls-tree", "--name-only", "HEAD").split() == [
        "README.md",
        "after.py",
        "app.py",
        "one.py",
    ]
    assert "Came along, for others depend on it: task 1." in text
    assert 'Not landed: 2 "Part 2" (delivered).' in text
    assert branches(sandbox) == [harvest.branch(), harvest.branch(2)]


def test_tasks_landed_one_by_one_come_to_the_same_as_all_at_once(sandbox: Sandbox):
    harvest = harvested(sandbox, ONE, APP, TWO)

    landed(harvest, How.SQUASH, tasks=(2,))
    landed(harvest, How.MERGE, tasks=(1, 3))

    assert harvest.merged is not None
    assert sandbox.git("diff", harvest.merged, "main") == ""
    assert branches(sandbox) == []


def test_several_tasks_are_merged_with_a_parent_each(sandbox: Sandbox):
    harvest = harvested(sandbox, ONE, TWO, APP)
    base = sandbox.git("rev-parse", "main")

    text = landed(harvest, How.MERGE, tasks=(1, 2))

    assert sandbox.git("log", "-1", "--format=%P").split() == [
        base,
        harvest.commits[1],
        harvest.commits[2],
    ]
    assert "all of them together were not" in text


def test_only_what_was_reviewed_is_landed(sandbox: Sandbox):
    harvest = harvested(sandbox, ONE, TWO)
    assert harvest.merged is not None

    with pytest.raises(Refused, match=rf"1234567 was reviewed, but .*head={harvest.merged[:10]}"):
        landed(harvest, How.APPLY, head="1234567")
    with pytest.raises(Refused, match="head is a commit's first digits"):
        landed(harvest, How.APPLY, head="main")
    with pytest.raises(Refused, match="was reviewed, but task 1"):
        landed(harvest, How.APPLY, tasks=(1,), head=harvest.commits[2][:7])
    landed(harvest, How.APPLY, head=harvest.merged[:7])


def test_what_was_not_delivered_is_not_landed(sandbox: Sandbox):
    failed = Work(files={"bad.py": "x\n"}, outcome=Outcome.CHECKS_FAILED)
    harvest = harvested(sandbox, ONE, failed)

    with pytest.raises(Refused, match=r'Task 2 \("Part 2"\) was not delivered \(checks_failed\)'):
        landed(harvest, How.SQUASH, tasks=(1, 2))
    text = landed(harvest, How.SQUASH)

    assert 'Not landed: 2 "Part 2" (checks_failed).' in text
    assert f"refs/kimi/{harvest.id}/task-2.a1 stay" in text
    assert pinned(sandbox) == [f"refs/kimi/{harvest.id}/base", f"refs/kimi/{harvest.id}/task-2.a1"]


def test_a_dispatch_that_delivered_nothing_has_nothing_to_land(sandbox: Sandbox):
    harvest = harvested(sandbox, Work(files={"bad.py": "x\n"}, outcome=Outcome.CHECKS_FAILED))

    with pytest.raises(Refused, match="has delivered nothing"):
        landed(harvest, How.APPLY)


def test_tasks_that_conflict_are_landed_one_at_a_time(sandbox: Sandbox):
    harvest = harvested(sandbox, APP, SAME_AS_APP, ONE)

    with pytest.raises(Refused, match=r"has no merged branch.* single tasks"):
        landed(harvest, How.SQUASH)
    with pytest.raises(Refused, match=r'These tasks conflict in "app\.py"'):
        landed(harvest, How.SQUASH, tasks=(1, 2))
    landed(harvest, How.SQUASH, tasks=(1, 3))

    assert "Hi" in sandbox.show("main", "app.py")


def test_unchecked_work_is_called_so(sandbox: Sandbox):
    harvest = harvested(sandbox, ONE, Work(files={"two.py": "2\n"}, is_checked=False))

    assert "UNCHECKED, without any command to run: task 2." in landed(harvest, How.APPLY)


def test_a_base_that_is_no_branch_can_be_applied_and_not_committed_onto(sandbox: Sandbox):
    sandbox.git("checkout", "-q", "--detach")
    harvest = harvested(sandbox, ONE)

    with pytest.raises(Refused, match=r"no branch.* how=apply, or with how=pull_request"):
        landed(harvest, How.SQUASH)
    landed(harvest, How.APPLY)

    assert sandbox.git("status", "--porcelain") == "?? one.py"


def test_a_merge_never_brings_commits_of_the_users_that_the_branch_lacks(sandbox: Sandbox):
    sandbox.write("private.txt", "not yet\n")
    sandbox.commit("Private")
    harvest = harvested(sandbox, ONE)
    sandbox.git("reset", "-q", "--hard", "HEAD~1")

    with pytest.raises(Refused, match=r"would bring other commits along.* how=squash"):
        landed(harvest, How.MERGE)
    landed(harvest, How.SQUASH)

    assert sandbox.git("show", "--name-only", "--format=", "HEAD") == "one.py"


def test_a_checkout_that_is_gone_is_named(sandbox: Sandbox):
    harvest = harvested(sandbox, ONE)
    sandbox.root.rename(sandbox.root.with_name("moved"))

    with pytest.raises(Refused, match="is no longer that checkout"):
        landed(harvest, How.APPLY)


def test_discarding_removes_everything_of_a_dispatch_and_nothing_else(sandbox: Sandbox):
    other = harvested(sandbox, TWO, token="aaaa")
    harvest = harvested(sandbox, ONE, Work(files={"x.py": "x\n"}, outcome=Outcome.CHECKS_FAILED))

    text = landed(harvest, How.DISCARD)

    assert "discarded, 4 refs with its clones removed" in text
    assert harvest.commits[1][:10] in text
    assert branches(sandbox) == [other.branch(), other.branch(1)]
    assert [ref for ref in pinned(sandbox) if harvest.id in ref] == []
    assert not harvest.bench.state.run(harvest.id).root.exists()
    assert harvest.bench.state.run(other.id).root.exists()
    assert "Discarded" in show(harvest.bench, harvest.id)
    assert "discarded already" in landed(harvest, How.DISCARD)


def test_a_branch_that_somebody_worked_on_is_not_discarded(sandbox: Sandbox):
    harvest = harvested(sandbox, ONE)
    sandbox.git("branch", "-f", harvest.branch(1), "main")
    before = [branches(sandbox), pinned(sandbox)]

    with pytest.raises(Refused, match=r"task-1 is not where kimi-mcp left it.* by hand"):
        landed(harvest, How.DISCARD)

    assert [branches(sandbox), pinned(sandbox)] == before


def test_a_branch_that_is_checked_out_is_not_discarded(sandbox: Sandbox):
    harvest = harvested(sandbox, ONE)
    sandbox.git("checkout", "-q", harvest.branch(1))
    before = [branches(sandbox), pinned(sandbox)]

    with pytest.raises(Refused, match="is checked out in"):
        landed(harvest, How.DISCARD)

    assert [branches(sandbox), pinned(sandbox)] == before


def test_one_task_can_be_discarded(sandbox: Sandbox):
    harvest = harvested(sandbox, ONE, TWO)

    landed(harvest, How.DISCARD, tasks=(2,))

    assert branches(sandbox) == [harvest.branch(), harvest.branch(1)]
    assert f"refs/kimi/{harvest.id}/task-2.a1" not in pinned(sandbox)
