"""Two delivered tasks that do not merge: one of them is sent back and settles it."""

from functools import partial

import anyio
import pytest

from dispatching import Done, branches, carried_out, followed, spec_of
from kimi_mcp.demo.script import bash, edit, say, write
from kimi_mcp.demo.scripted_model import ScriptedModel
from kimi_mcp.dispatch.admission import LaunchWish
from kimi_mcp.dispatch.retake import RevisionWish, launch_or_resume, revise
from kimi_mcp.dispatch.running.rivalry import told_places
from kimi_mcp.lifecycle import Outcome, TaskState
from kimi_mcp.workspace.merge import Lines
from patience import PATIENCE_S
from sandbox import Sandbox, StartModel

FILES = "Files:\n- MODIFY README.md\n"
SPEC = spec_of(
    f"One\n{FILES}- CREATE one.txt\nVerification:\n- `grep -i tool README.md`",
    f"Two\n{FILES}Verification:\n- `grep -i library README.md`",
    "Three\nDepends on: Task 1, Task 2\nFiles:\n- CREATE three.txt\nVerification:\n- `true`",
)
SETTLED = "sed -i -e '/^[<>|]/d' -e '/^===/d' README.md"


def conflicting(start_model: StartModel, *settling: str) -> ScriptedModel:
    """Serve two tasks that rewrite one line, and what Kimi does when it is sent back."""
    return start_model(
        {
            "# Your task (1)": (
                edit("README.md", "A project", "A tool"),
                write("one.txt", "1\n"),
                say("done"),
            ),
            "# Your task (2)": (edit("README.md", "A project", "A library"), say("done")),
            "# Your task (3)": (write("three.txt", "3\n"), say("done")),
            "[settle]": (*(bash(command) for command in settling), say("settled")),
            "[again]": (bash(SETTLED), say("settled")),
        }
    )


async def sent_back(done: Done, feedback: str) -> Done:
    wish = RevisionWish(task=2, feedback=feedback)
    with anyio.fail_after(PATIENCE_S):
        launched = await anyio.to_thread.run_sync(partial(revise, done.bench, done.id, wish))
        return await followed(done.bench, launched)


async def test_a_task_that_is_sent_back_finds_both_sides_in_the_file_and_settles_it(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    model = conflicting(start_model, "cat README.md one.txt", SETTLED)
    first = await carried_out(sandbox, SPEC)
    assert first.outcomes[3] is Outcome.MERGE_CONFLICT

    done = await sent_back(first, "[settle] keep both")

    told = str(model.requests[-1].body["messages"])
    assert "Your work and that of task 1 conflict" in told
    assert 'README.md" (lines 1-5)' in told.replace("\\", "")
    assert "<<<<<<<" in told
    assert done.outcomes[2] is TaskState.DELIVERED, done.task(2).task.sentence
    assert [change.path for change in done.task(2).changes] == ["README.md"]
    merged = done.report.dispatch.merged_commit
    assert merged is not None
    readme = sandbox.show(merged, "README.md")
    assert "A tool" in readme
    assert "A library" in readme
    assert sandbox.show(merged, "one.txt") == "1"
    assert f"kimi/{first.id}/merged" in branches(sandbox)


async def test_what_waited_for_the_conflict_is_resumed_when_it_is_settled(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    conflicting(start_model, SETTLED)
    first = await carried_out(sandbox, SPEC)
    await sent_back(first, "[settle] keep both")

    with anyio.fail_after(PATIENCE_S):
        again = await anyio.to_thread.run_sync(
            partial(launch_or_resume, first.bench, LaunchWish(spec=first.id))
        )
        done = await followed(first.bench, again)

    assert set(done.outcomes.values()) == {TaskState.DELIVERED}
    merged = done.report.dispatch.merged_commit
    assert merged is not None
    assert sandbox.show(merged, "three.txt") == "3"


async def test_markers_that_are_left_are_not_delivered_and_the_next_attempt_goes_on(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    conflicting(start_model, "true")
    first = await carried_out(sandbox, SPEC)
    before = sandbox.git("rev-parse", f"kimi/{first.id}/task-2")

    unsettled = await sent_back(first, "[settle] keep both")
    settled = await sent_back(first, "[again] remove the markers")

    assert 'Markers of the conflict are left in "README.md".' in str(
        unsettled.task(2).attempts[-1].sentence
    )
    assert unsettled.outcomes[2] is TaskState.DELIVERED  # the earlier attempt stays
    assert unsettled.task(2).task.commit_id == before
    assert settled.outcomes[2] is TaskState.DELIVERED
    assert settled.report.dispatch.merged_commit is not None


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], '"a.py"'),
        ([Lines(3, 9)], '"a.py" (lines 3-9)'),
        ([Lines(n, n + 1) for n in range(1, 11, 2)], '"a.py" (lines 1-2, 3-4, 5-6, 7-8, …)'),
    ],
)
def test_places_are_told_briefly(lines: list[Lines], told: str) -> None:
    assert told_places({"a.py": lines}) == told
    assert told_places(dict.fromkeys("abcdefg", lines)).endswith(" and 2 more")
