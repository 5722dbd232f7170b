"""What goes over the wire: both eras, nothing but JSON-RPC, and the schema a model pays for."""

import json
import re
from typing import Any, Literal

import anyio
import pytest
from inline_snapshot import external_file

from kimi_mcp.demo.script import bash, say, write
from kimi_mcp.server.app import INSTRUCTIONS
from patience import PATIENCE_S
from raw_client import Era, raw_server
from sandbox import Sandbox, StartModel
from serving import connected, text_of
from tokens import tokens

TASK = "# Your task (1)"

SCHEMA_TOKENS = 1_600
INSTRUCTIONS_TOKENS = 150


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_a_whole_dispatch_writes_nothing_but_json_rpc(
    one_task: Sandbox, start_model: StartModel, era: Era
) -> None:
    start_model(
        {TASK: (bash("echo loud; echo louder >&2"), write("one.py", "print(1)\n"), say("done"))}
    )
    with anyio.fail_after(PATIENCE_S):
        async with raw_server(one_task, era=era) as client:
            tools = await client.ask(client.request("tools/list"))
            call = client.tool_call("dispatch_spec", spec="1")
            result = await client.ask(call)
            shown = await client.tool_text("get_result")
            assert await client.hang_up() == 0

    assert [tool["name"] for tool in tools["tools"]] == [
        "plan_to_spec",
        "dispatch_spec",
        "revise_task",
        "get_result",
        "land_result",
        "cancel_dispatch",
        "switch_profile",
    ]
    assert not result["isError"]
    assert "structuredContent" not in result
    texts = [shown, "\n".join(part["text"] for part in result["content"])]
    assert texts[0] != texts[1]  # each reply has a marker of its own
    assert len({re.sub(r"data-\d{9}>", "data->", text) for text in texts}) == 1
    # the client has checked each line; these are the messages that were no answers
    notices = [message for message in client.heard if "method" in message]
    listed = [one for one in notices if one["method"] == "notifications/resources/list_changed"]
    assert bool(listed) == (era == "legacy")  # in the other era nobody has asked for them
    told = [message["params"] for message in notices if message not in listed]
    assert {params["progressToken"] for params in told} == {call["id"]}
    numbers = [params["progress"] for params in told]
    assert numbers == sorted(set(numbers))
    assert any('step 1 · task 1/1 · "Bash echo loud' in params["message"] for params in told)
    assert not any("total" in params for params in told)


@pytest.mark.parametrize(("mode", "version"), [("auto", "2026-07-28"), ("legacy", "2025-11-25")])
async def test_clients_of_both_eras_are_served(
    sandbox: Sandbox, mode: Literal["auto", "legacy"], version: str
) -> None:
    with anyio.fail_after(PATIENCE_S):
        async with connected(sandbox, mode=mode) as client:
            assert client.protocol_version == version
            assert len((await client.list_tools()).tools) == 7
            result = await client.call_tool("get_result", {})

    assert result.is_error
    assert text_of(result).startswith("Nothing was dispatched yet.")


async def test_nothing_but_json_rpc_is_answered_to_what_is_no_request(sandbox: Sandbox) -> None:
    with anyio.fail_after(PATIENCE_S):
        async with raw_server(sandbox) as client:
            unknown = await client.ask(client.tool_call("no_such_tool"))
            missing = await client.ask(client.request("no/such/method"))
            assert (await client.ask(client.request("tools/list")))["tools"]

    assert unknown["isError"]
    assert missing["code"] == -32601


async def test_the_schema_that_a_model_pays_for_is_the_one_reviewed(sandbox: Sandbox) -> None:
    with anyio.fail_after(PATIENCE_S):
        async with connected(sandbox) as client:
            listed = await client.list_tools()
            assert client.instructions == INSTRUCTIONS
    tools: list[dict[str, Any]] = [
        tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in listed.tools
    ]

    # a change is meant to be seen; `pytest -n0 --inline-snapshot=fix` writes the file anew
    assert tools == external_file("tools.json")
    sent = json.dumps(tools, separators=(",", ":"), ensure_ascii=False)
    assert tokens(sent) <= SCHEMA_TOKENS
    assert tokens(INSTRUCTIONS) <= INSTRUCTIONS_TOKENS
