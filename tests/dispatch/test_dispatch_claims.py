"""Kimi's word against ours, with the real CLI: what it claims is never what is said of a task."""

from dispatching import at_once, branches, carried_out, dispatched, pinned, spec_of, specify
from kimi_mcp.demo.script import Reply, bash, say, write
from kimi_mcp.lifecycle import Outcome, TaskState
from kimi_mcp.review.listing import dispatch_page, dispatch_table
from kimi_mcp.review.view import View
from sandbox import Sandbox, StartModel


async def test_success_that_is_only_claimed_is_not_delivered(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    start_model(
        {
            "# Your task (1)": (write("one.py", "ONE = 2\n"), say("All checks pass, 10 of 10!")),
            "# Your task (2)": (say("Implemented everything; the tests are green."),),
            "# Your task (3)": (
                say("BLOCKED: which of the two databases is meant?\nI touched nothing."),
            ),
        }
    )

    done = await carried_out(
        sandbox,
        spec_of(
            "One\nFiles:\n- CREATE one.py\nVerification:\n"
            '- `python3 -c "from one import ONE; assert ONE == 1"`',
            "Two\nFiles:\n- CREATE two.py\nVerification:\n- `true`",
            "Three\nFiles:\n- CREATE three.py\nVerification:\n- `true`",
        ),
    )

    assert done.outcomes == {
        1: Outcome.CHECKS_FAILED,
        2: Outcome.NO_CHANGE,
        3: Outcome.BLOCKED,
    }
    assert branches(sandbox) == []
    assert pinned(sandbox) == [f"refs/kimi/{done.id}/base", f"refs/kimi/{done.id}/task-1.a1"]
    assert sandbox.show(f"refs/kimi/{done.id}/task-1.a1", "one.py") == "ONE = 2"
    assert [check.exit_code for check in done.task(1).checks] == [1]
    assert "AssertionError" in done.view(View.CHECKS)
    text = done.view(View.SUMMARY)
    assert text.startswith(
        f"{done.id}: 0 of 3 delivered, 1 checks_failed, 1 no_change, 1 blocked · 4 steps\n"
    )
    assert 'quoted: "which of the two databases is meant? I touched nothing."' in text
    assert 'Kimi\'s words: "All checks pass, 10 of 10!"' in text
    assert done.report.dispatch.merged_commit is None


async def test_a_change_outside_the_list_is_found_however_it_is_hidden(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    listed = write("listed.py", "")
    start_model(
        {
            "# Your task (1)": (
                at_once(listed, bash("echo '# more' >> app.py && rm README.md")),
                say("done"),
            ),
            "# Your task (2)": (
                at_once(listed, write("stray.txt", "x"), write(".gitignore", "*\n")),
                say("done"),
            ),
            "# Your task (3)": (
                at_once(
                    listed,
                    bash(
                        "mkdir -p deep && echo x > deep/stray.txt"
                        " && printf 'deep/\\nodd*\\n' >> .git/info/exclude"
                        " && git config core.excludesFile .git/info/exclude"
                        " && touch \"$(printf 'odd\\377name')\""
                    ),
                ),
                say("done"),
            ),
        }
    )

    done = await carried_out(
        sandbox,
        spec_of(
            *[f"{title}\nFiles:\n- CREATE listed.py\nVerification:\n- `true`" for title in "abc"]
        ),
    )

    assert set(done.outcomes.values()) == {Outcome.OUT_OF_SCOPE}
    strays = {n: sorted(stray.path for stray in done.task(n).strays) for n in (1, 2, 3)}
    assert strays[1] == ["README.md", "app.py"]
    assert strays[2] == [".gitignore", "stray.txt"]
    assert strays[3][0] == "deep/stray.txt"
    assert len(strays[3]) == 2
    assert '"app.py" (' in str(done.task(1).task.sentence)
    assert branches(sandbox) == []
    for view in View:
        assert done.view(view).startswith(f"{done.id}: 0 of 3 delivered, 3 out_of_scope")
    assert sandbox.show(f"refs/kimi/{done.id}/task-2.a1", "stray.txt") == "x"


async def test_without_a_command_a_task_is_delivered_unchecked_and_every_view_says_so_first(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    start_model({"": (write("guide.md", "# Guide\n"), say("I verified the guide thoroughly."))})

    done = await carried_out(
        sandbox,
        spec_of(
            "Guide\nFiles:\n- CREATE guide.md\nVerification:\n- Confirm that `guide.md` reads well"
        ),
    )

    assert done.task(1).task.state is TaskState.DELIVERED
    assert done.task(1).task.is_checked is False
    for view in View:
        first = done.view(view).splitlines()[0]
        assert first == f"{done.id}: 1 of 1 delivered, 1 of them UNCHECKED · 2 steps"
    assert "UNCHECKED" in dispatch_page(done.bench, done.id).splitlines()[0]
    assert f"| {done.id} | finished | 1/1, 1 UNCHECKED | 2 |" in dispatch_table(done.bench)
    assert branches(sandbox) == [f"kimi/{done.id}/merged", f"kimi/{done.id}/task-1"]


async def test_what_stops_kimi_has_a_name_and_keeps_the_work(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    used_up = "You've reached your weekly usage limit for this billing cycle."
    start_model(
        {
            "# Your task (1)": tuple(bash(f"echo {n} >> one.txt") for n in range(9)),
            "# Your task (2)": (
                write("two.txt", "half"),
                Reply(
                    status=403,
                    body={"error": {"message": used_up, "type": "access_terminated_error"}},
                ),
            ),
        }
    )

    specify(
        sandbox,
        spec_of(
            "One\nFiles:\n- CREATE one.txt\nBudget: 3 steps\nVerification:\n- `true`",
            "Two\nFiles:\n- CREATE two.txt\nVerification:\n- `true`",
        ),
    )
    done = await dispatched(sandbox, max_parallel=1)  # a quota that is used up ends all at work

    assert done.outcomes == {1: Outcome.STEP_LIMIT, 2: Outcome.QUOTA_EXHAUSTED}
    assert done.task(1).task.steps == 3
    assert sandbox.show(f"refs/kimi/{done.id}/task-1.a1", "one.txt") == "0\n1\n2"
    assert sandbox.show(f"refs/kimi/{done.id}/task-2.a1", "two.txt") == "half"
    assert branches(sandbox) == []
    assert done.task(1).checks == done.task(2).checks == ()
    assert "weekly usage limit" in done.view(View.SUMMARY)
