"""Tasks that depend on each other and results that meet, with the real CLI."""

from dispatching import branches, carried_out, spec_of
from kimi_mcp.demo.script import bash, edit, say, write
from kimi_mcp.lifecycle import Outcome, TaskState
from kimi_mcp.review.view import View
from sandbox import Sandbox, StartModel


async def test_a_failed_task_skips_what_depends_on_it_and_nothing_else(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    model = start_model(
        {
            "# Your task (1)": (write("one.txt", "wrong"), say("done")),
            "# Your task (3)": (write("three.txt", "3"), say("done")),
            "# Your task (4)": (write("four.txt", "4"), say("done")),
        }
    )

    done = await carried_out(
        sandbox,
        spec_of(
            "One\nFiles:\n- CREATE one.txt\nVerification:\n- `grep -q right one.txt`",
            "Two\nDepends on: Task 1\nFiles:\n- MODIFY one.txt\nVerification:\n- `true`",
            "Three\nFiles:\n- CREATE three.txt\nVerification:\n- `true`",
            "Four\nDepends on: Task 3\nFiles:\n- CREATE four.txt\nVerification:\n"
            "- `test -e three.txt`",
            "Five\nDepends on: Task 2, Task 3\nFiles:\n- CREATE five.txt\nVerification:\n- `true`",
        ),
    )

    assert done.outcomes == {
        1: Outcome.CHECKS_FAILED,
        2: TaskState.SKIPPED,
        3: TaskState.DELIVERED,
        4: TaskState.DELIVERED,
        5: TaskState.SKIPPED,
    }
    assert done.task(5).task.sentence == "It depends on task 2: not delivered."
    assert done.task(2).attempts == ()
    places = {request.place.marker for request in model.requests if request.place}
    assert places == {f"# Your task ({number})" for number in (1, 3, 4)}
    assert branches(sandbox) == [
        f"kimi/{done.id}/{name}" for name in ("merged", "task-3", "task-4")
    ]
    merged = sandbox.git("ls-tree", "--name-only", f"kimi/{done.id}/merged").splitlines()
    assert {"three.txt", "four.txt"} <= set(merged)
    assert "one.txt" not in merged
    assert "A three.txt (task 3)" in str(model.requests[-1].body)


async def test_eight_tasks_with_a_diamond_and_two_chains_merge_as_by_hand(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    needs = {1: (), 2: (1,), 3: (1,), 4: (2, 3), 5: (), 6: (5,), 7: (), 8: (7,)}
    start_model(
        {
            f"# Your task ({number})": (
                write(f"part-{number}.txt", f"{number}\n"),
                bash(f"test $(ls part-*.txt | wc -l) -gt {len(needed)}"),
                say("done"),
            )
            for number, needed in needs.items()
        }
    )

    done = await carried_out(
        sandbox,
        spec_of(
            *(
                f"Part {number}\n"
                + (f"Depends on: {', '.join(f'Task {n}' for n in needed)}\n" if needed else "")
                + f"Files:\n- CREATE part-{number}.txt\nVerification:\n"
                + "".join(f"- `test -f part-{n}.txt`\n" for n in (number, *needed))
                for number, needed in needs.items()
            )
        ),
    )

    assert set(done.outcomes.values()) == {TaskState.DELIVERED}, done.view(View.SUMMARY)
    sandbox.git("checkout", "-q", "--detach", str(done.report.dispatch.base_commit))
    for number in needs:
        sandbox.git("merge", "-q", "--no-edit", f"kimi/{done.id}/task-{number}")
    assert sandbox.git("rev-parse", "HEAD^{tree}") == sandbox.git(
        "rev-parse", f"kimi/{done.id}/merged^{{tree}}"
    )


async def test_results_that_conflict_are_named_and_never_guessed(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    start_model(
        {
            "# Your task (1)": (edit("README.md", "A project", "A tool"), say("done")),
            "# Your task (2)": (edit("README.md", "A project", "A library"), say("done")),
        }
    )
    files = "Files:\n- MODIFY README.md\nVerification:\n- `true`"

    done = await carried_out(
        sandbox,
        spec_of(
            f"One\n{files}",
            f"Two\n{files}",
            f"Three\nDepends on: Task 1, Task 2\n{files}",
            f"Four\nDepends on: Task 3\n{files}",
        ),
    )

    assert done.outcomes == {
        1: TaskState.DELIVERED,
        2: TaskState.DELIVERED,
        3: Outcome.MERGE_CONFLICT,
        4: TaskState.SKIPPED,
    }
    conflict = 'tasks 1 and 2 conflict in "README.md" (lines 1-5)'
    assert done.task(3).task.sentence == f"What it depends on does not merge: {conflict}."
    assert branches(sandbox) == [f"kimi/{done.id}/task-1", f"kimi/{done.id}/task-2"]
    assert done.report.dispatch.merged_commit is None
    note = str(done.report.dispatch.note)
    assert note.startswith(f"No merged branch: {conflict}. revise_task")
    assert note in done.view(View.SUMMARY)
    assert sandbox.show(f"kimi/{done.id}/task-1", "README.md") == "# A tool"


async def test_delivered_parts_that_fail_together_become_no_merged_branch(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    start_model(
        {
            "# Your task (1)": (write("one.txt", "1"), say("done")),
            "# Your task (2)": (write("two.txt", "2"), say("done")),
        }
    )

    done = await carried_out(
        sandbox,
        spec_of(
            "One\nFiles:\n- CREATE one.txt\nVerification:\n- `test ! -e two.txt`",
            "Two\nFiles:\n- CREATE two.txt\nVerification:\n- `true`",
        ),
    )

    assert len(done.report.delivered) == 2
    assert branches(sandbox) == [f"kimi/{done.id}/task-1", f"kimi/{done.id}/task-2"]
    assert '"test ! -e two.txt" failed with exit code 1' in done.view(View.SUMMARY)
