"""Revising and resuming through the tools."""

import anyio

from kimi_mcp.demo.script import Reply, edit, say, write
from patience import PATIENCE_S
from sandbox import Sandbox, StartModel
from serving import connected, text_of

QUOTA = Reply(
    status=403,
    body={"error": {"message": "You've reached your usage limit for this billing cycle."}},
)


async def test_a_dispatch_is_resumed_by_its_id_and_a_task_revised(
    one_task: Sandbox, start_model: StartModel
) -> None:
    start_model(
        {
            "# Your task (1)": (write("one.py", "print(1)\n"), QUOTA),
            "was interrupted": (say("finished"),),
            "[two]": (edit("one.py", "1", "2"), say("printed two")),
        }
    )
    heard: list[str] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        del progress, total
        heard.append(message or "")

    with anyio.fail_after(PATIENCE_S):
        async with connected(one_task) as client:
            stopped = await client.call_tool("dispatch_spec", {"spec": "1"})
            assert stopped.is_error
            assert "quota_exhausted" in text_of(stopped)
            dispatch = text_of(stopped).split(":", 1)[0]

            resumed = await client.call_tool("dispatch_spec", {"spec": dispatch})
            assert not resumed.is_error, text_of(resumed)
            assert text_of(resumed).startswith(f"{dispatch}: 1 of 1 delivered")

            revised = await client.call_tool(
                "revise_task",
                {"dispatch": dispatch, "task": 1, "feedback": "[two]"},
                progress_callback=hear,
            )
            assert not revised.is_error, text_of(revised)
            assert "attempt 3" in text_of(revised)
            assert heard[0] == "step 0 · task 1/1 · started"

            wrong = await client.call_tool(
                "revise_task", {"dispatch": dispatch, "task": 1, "drop_files": ["nothing.py"]}
            )
            assert wrong.is_error
            assert 'Nearest: "one.py"' in text_of(wrong)
    assert one_task.show(f"kimi/{dispatch}/task-1", "one.py") == "print(2)"
