"""What a model reads when its call cannot be: which argument, what is known, what now."""

from typing import Any

import anyio

from kimi_mcp.demo.script import Reply, say, write
from patience import PATIENCE_S
from sandbox import Sandbox, StartModel
from serving import connected, text_of

TASK = "# Your task (1)"
MISTAKES: tuple[tuple[str, dict[str, Any], tuple[str, ...]], ...] = (
    ("plan_to_spec", {}, ("plan_path", "plan", "tasks")),
    ("plan_to_spec", {"plan_path": "no-plan.md"}, ("no-plan.md", "cannot be read")),
    ("plan_to_spec", {"plan": "Let us do something."}, ("task",)),
    ("plan_to_spec", {"tasks": [{"titel": "One"}]}, ("tasks.0.titel",)),
    ("plan_to_spec", {"plan": "# P", "repo": "no-folder"}, ("no-folder",)),
    ("dispatch_spec", {}, ("spec: Field required",)),
    ("dispatch_spec", {"spec": "one-prat"}, ("one-prat", "Nearest", "one-part")),
    ("dispatch_spec", {"spec": "7"}, ("7", "Nearest")),
    ("dispatch_spec", {"spec": "2"}, ("002-here.md", "002-there.md")),
    ("dispatch_spec", {"spec": "1", "tasks": [9]}, ("9", "1")),
    ("dispatch_spec", {"spec": "1", "profile": "swram"}, ("swram", "moderato, swarm")),
    ("dispatch_spec", {"spec": "1", "base": "no-branch"}, ("no-branch",)),
    ("dispatch_spec", {"spec": "1", "max_parallel": 0}, ("max_parallel", "not 0")),
    ("dispatch_spec", {"spec": "1", "dryrun": True}, ("'dryrun'", "dry_run")),
    ("get_result", {"dispatch": "{id}x"}, ("is not a dispatch id", "Nearest: {id}")),
    ("get_result", {"dispatch": "001-one-part-zzzz"}, ("No dispatch", "Nearest: {id}")),
    ("get_result", {"dispatch": "k52ogolo4"}, ("is not a dispatch id", "{id}")),
    ("get_result", {"dispatch": "{id}", "task": 2}, ("no task 2", "Its tasks: 1")),
    ("get_result", {"view": "diffs"}, ("view", "'summary', 'diff', 'transcript' or 'checks'")),
    ("get_result", {"wait_s": -1}, ("wait_s", "greater than or equal to 0", "not -1")),
    ("get_result", {"wait_s": 601}, ("wait_s", "less than or equal to 600", "not 601")),
    ("get_result", {"disptch": "{id}"}, ("'disptch'", "dispatch")),
    ("cancel_dispatch", {"dispatch": "k52ogolo4"}, ("is not a dispatch id", "{id}")),
    ("cancel_dispatch", {"dispatch": "{id}", "tasks": [2]}, ("no task 2", "Its tasks: 1")),
    ("switch_profile", {"name": "swram"}, ("swram", "moderato, swarm")),
)


async def test_every_mistake_is_answered_with_what_is_known(
    one_task: Sandbox, start_model: StartModel
) -> None:
    one_task.write("specs/002-here.md", "# Spec: 002 -- Here\n")
    one_task.write("specs/002-there.md", "# Spec: 002 -- There\n")
    start_model({TASK: (write("one.py", "ONE = 1\n"), say("done"))})
    with anyio.fail_after(PATIENCE_S):
        async with connected(one_task) as client:
            done = text_of(await client.call_tool("dispatch_spec", {"spec": "1"}))
            dispatch = done.split(":", 1)[0]
            wrong: list[str] = []
            for tool, arguments, expected in MISTAKES:
                filled = {
                    name: value.format(id=dispatch) if isinstance(value, str) else value
                    for name, value in arguments.items()
                }

                result = await client.call_tool(tool, filled)

                text = text_of(result)
                words = [word.format(id=dispatch) for word in expected]
                is_clear = all(word in text for word in words) and "Error executing" not in text
                if not (result.is_error and is_clear and "pydantic" not in text):
                    wrong.append(f"{tool} {filled}: {text}")

            assert not wrong, "\n".join(wrong)
            shown = await client.call_tool("get_result", {})
            assert text_of(shown).startswith(f"{dispatch}: 1 of 1 delivered")


async def test_an_error_means_refused_or_nothing_delivered_by_this_very_call(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    sandbox.write(
        "specs/001-two.md",
        "# Spec: 001 -- Two\n\n## Tasks\n"
        "### Task 1: Good\nFiles:\n- CREATE good.py\nVerification:\n- `true`\n\n"
        "### Task 2: Bad\nFiles:\n- CREATE bad.py\nVerification:\n- `false`\n",
    )
    sandbox.commit()
    start_model(
        {
            TASK: (write("good.py", ""), Reply(text="done")),
            "# Your task (2)": (write("bad.py", ""), Reply(text="all checks pass")),
        }
    )
    with anyio.fail_after(PATIENCE_S):
        async with connected(sandbox) as client:
            partly = await client.call_tool("dispatch_spec", {"spec": "1"})
            nothing = await client.call_tool("dispatch_spec", {"spec": "1", "tasks": [2]})
            looked_at = await client.call_tool("get_result", {})

    assert not partly.is_error
    assert "1 of 2 delivered, 1 checks_failed" in text_of(partly)
    assert nothing.is_error
    assert ": 0 of 1 delivered, 1 checks_failed" in text_of(nothing)
    assert not looked_at.is_error
    assert text_of(looked_at) == text_of(nothing)
