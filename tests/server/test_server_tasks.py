"""Long calls as tasks: handed over, asked for by any server, over once and for all."""

import re
import threading
from collections.abc import Mapping
from functools import partial
from typing import Any

import anyio
import pytest

from kimi_mcp.demo.script import Reply, say, write
from kimi_mcp.demo.scripted_model import ScriptedModel
from kimi_mcp.dispatch.workbench import Workbench
from living import answered
from patience import PATIENCE_S
from raw_client import TAKES_TASKS, RawClient, raw_server
from sandbox import Sandbox, StartModel
from survivors import happened

TASK = "# Your task (1)"
MISSING_CAPABILITY, INVALID_PARAMS = -32021, -32602


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hand calls over without a time in the foreground."""
    monkeypatch.setenv("KIMI_MCP_FOREGROUND_S", "0")


@pytest.mark.usefixtures("at_once")
async def test_a_task_is_asked_for_in_a_new_server_and_ends_with_the_whole_result(
    one_task: Sandbox, start_model: StartModel
) -> None:
    model, held = held_model(start_model)
    with anyio.fail_after(PATIENCE_S):
        async with raw_server(one_task) as client:
            task = await handed_over(client, "dispatch_spec", spec="1")
            dispatch = task["taskId"]
            assert dispatch.startswith("001-one-part-")
            assert task["status"] == "working"
            note = task["_meta"]["com.anthropic/agent-task"]["modelImmediateResponse"]
            assert dispatch in note
            assert "do not poll: end your turn" in note
            await happened(model.reached(TASK, 1))
            working = await stepped(client, dispatch)
            assert working["status"] == "working"
            assert "result" not in working
            await client.kill()

        async with raw_server(one_task) as client:
            client.capabilities = TAKES_TASKS
            assert (await state(client, dispatch))["status"] == "working"
            held.set()
            over = await ended(client, dispatch)

            assert over["status"] == "completed"
            assert over["result"]["isError"] is False
            (part,) = over["result"]["content"]
            assert part["text"].startswith(f"{dispatch}: 1 of 1 delivered")
            assert "+ONE = 1" in part["text"]


async def test_a_call_that_ends_in_the_foreground_is_answered_itself(
    one_task: Sandbox, start_model: StartModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIMI_MCP_FOREGROUND_S", "50")
    start_model({TASK: (write("one.py", "ONE = 1\n"), say("done"))})
    with anyio.fail_after(PATIENCE_S):
        async with raw_server(one_task) as client:
            client.capabilities = TAKES_TASKS

            answer = await client.ask(client.tool_call("dispatch_spec", spec="1"))

    assert answer["resultType"] == "complete"
    assert "1 of 1 delivered" in answer["content"][0]["text"]
    steps = [one["params"]["message"] for one in client.heard if "params" in one]
    assert any("Write one.py" in step for step in steps)


@pytest.mark.usefixtures("at_once")
async def test_the_capability_is_that_of_the_request(
    one_task: Sandbox, start_model: StartModel
) -> None:
    start_model({TASK: (write("one.py", "ONE = 1\n"), say("done"))})
    with anyio.fail_after(PATIENCE_S):
        async with raw_server(one_task) as client:
            client.capabilities = TAKES_TASKS
            assert await client.ask(client.request("tools/list"))
            client.capabilities = {}

            answer = await client.ask(client.tool_call("dispatch_spec", spec="1"))

            text = answer["content"][0]["text"]
            refused = await client.ask(client.request("tasks/get", taskId=text.split(":")[0]))
    assert "1 of 1 delivered" in text
    assert refused["code"] == MISSING_CAPABILITY


@pytest.mark.usefixtures("at_once")
async def test_stopping_a_task_ends_kimi_and_keeps_the_work(
    one_task: Sandbox, start_model: StartModel, bench: Workbench
) -> None:
    model, _ = held_model(start_model)
    with anyio.fail_after(PATIENCE_S):
        async with raw_server(one_task) as client:
            task = await handed_over(client, "dispatch_spec", spec="1")
            await happened(model.reached(TASK, 1))

            for _ in range(2):  # as Claude Code does
                answer = await client.ask(client.request("tasks/cancel", taskId=task["taskId"]))
                assert answer["resultType"] == "complete"

            over = await ended(client, task["taskId"])
            assert over["status"] == "cancelled"
            assert "1 cancelled" in over["statusMessage"]
            await client.ask(client.request("tasks/cancel", taskId=task["taskId"]))
            assert (await state(client, task["taskId"]))["status"] == "cancelled"
    (dispatch,) = bench.history.recent(limit=2)
    assert dispatch.cancel_reason == "the user stopped the task"
    assert one_task.show(f"refs/kimi/{dispatch.id}/task-1.a1", "one.py") == "ONE = 1"


@pytest.mark.usefixtures("at_once")
async def test_a_resume_and_a_revision_are_tasks_of_their_own_and_the_first_stays_over(
    one_task: Sandbox, start_model: StartModel
) -> None:
    held = threading.Event()
    start_model(
        {
            TASK: (write("one.py", "ONE = 1\n"), Reply(text="done", wait_for=held)),
            "Once more": (write("one.py", "ONE = 11\n"), say("done")),
        }
    )
    with anyio.fail_after(PATIENCE_S):
        async with raw_server(one_task) as client:
            first = (await handed_over(client, "dispatch_spec", spec="1"))["taskId"]
            await client.ask(client.request("tasks/cancel", taskId=first))
            assert (await ended(client, first))["status"] == "cancelled"
            held.set()

            second = (await handed_over(client, "dispatch_spec", spec=first))["taskId"]
            assert second == f"{first}.r1"
            assert (await state(client, first))["status"] == "cancelled"
            assert (await ended(client, second))["status"] == "completed"

            third = await handed_over(
                client, "revise_task", dispatch=first, task=1, feedback="Once more"
            )
            assert third["taskId"] == f"{first}.t1.a3"
            assert (await state(client, first))["status"] == "cancelled"
            earlier = await state(client, second)
            assert earlier["status"] == "completed"
            assert "has taken the dispatch up since" in earlier["result"]["content"][0]["text"]
            over = await ended(client, third["taskId"])
    assert over["status"] == "completed"
    assert "+ONE = 11" in over["result"]["content"][0]["text"]


@pytest.mark.usefixtures("at_once")
async def test_what_was_handed_over_is_not_waited_for_a_second_time(
    one_task: Sandbox, start_model: StartModel
) -> None:
    model, held = held_model(start_model)
    with anyio.fail_after(PATIENCE_S):
        async with raw_server(one_task) as client:
            task = await handed_over(client, "dispatch_spec", spec="1")
            await happened(model.reached(TASK, 1))

            text = await client.tool_text("get_result", wait_s=600)

            assert text.startswith(f"{task['taskId']}: running")
            assert text.endswith("End your turn.")
            held.set()
            await ended(client, task["taskId"])
            assert "End your turn" not in await client.tool_text("get_result", wait_s=600)


@pytest.mark.usefixtures("at_once")
async def test_a_refusal_is_answered_at_once_and_strangers_are_unknown(one_task: Sandbox) -> None:
    with anyio.fail_after(PATIENCE_S):
        async with raw_server(one_task) as client:
            client.capabilities = TAKES_TASKS
            refused = await client.ask(client.tool_call("dispatch_spec", spec="9"))
            looked = await client.ask(client.tool_call("dispatch_spec", spec="1", dry_run=True))
            unknown = [
                await client.ask(client.request(method, taskId="001-one-part-zzzz"))
                for method in ("tasks/get", "tasks/cancel", "tasks/update")
            ]

    assert (refused["resultType"], refused["isError"]) == ("complete", True)
    assert looked["resultType"] == "complete"
    assert [one["code"] for one in unknown] == [INVALID_PARAMS] * 3


def held_model(start_model: StartModel) -> tuple[ScriptedModel, threading.Event]:
    """Serve a task that writes its file, and then waits until the event is set."""
    held = threading.Event()
    done = Reply(text="done", wait_for=held)
    return start_model({TASK: (write("one.py", "ONE = 1\n"), done)}), held


async def handed_over(client: RawClient, tool: str, /, **arguments: object) -> dict[str, Any]:
    """Call a tool as a client that takes tasks, and return the task."""
    client.capabilities = TAKES_TASKS
    answer = await client.ask(client.tool_call(tool, **arguments))
    assert answer["resultType"] == "task", answer
    return answer


async def state(client: RawClient, task: str) -> Mapping[str, Any]:
    """Ask how a task stands."""
    return await client.ask(client.request("tasks/get", taskId=task))


async def stepped(client: RawClient, task: str) -> Mapping[str, Any]:
    """Ask for a task until a step is told of: a while after Kimi has written of it."""
    step = re.compile(r"step [12] · task 1/1 · ")
    return await answered(
        partial(state, client, task), lambda found: bool(step.match(found["statusMessage"]))
    )


async def ended(client: RawClient, task: str) -> Mapping[str, Any]:
    """Ask for a task until it is over."""
    return await answered(partial(state, client, task), lambda found: found["status"] != "working")
