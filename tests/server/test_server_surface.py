"""What of the server costs a session tokens, and what a person or model meets first."""

import re

import anyio
import pytest
from mcp import Client
from mcp.types import TextContent

from dispatching import bench_of
from kimi_mcp.dispatch import switching
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.server.app import build
from kimi_mcp.server.replies import ERROR_CHARS, Reply, result_of
from patience import PATIENCE_S
from sandbox import Sandbox
from serving import text_of


async def test_a_bug_is_a_sentence_with_a_file_to_send_and_the_server_lives_on(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: Workbench) -> str:
        raise RuntimeError("the secret of the bug")

    monkeypatch.setattr(switching, "list_profiles", broken)
    with anyio.fail_after(PATIENCE_S):
        async with Client(build(bench_of(sandbox))) as client:
            met = await client.call_tool("switch_profile", {})
            after = await client.call_tool("get_result", {})

    assert met.is_error
    text = text_of(met)
    assert "internal error" in text
    assert "Traceback" not in text
    assert "secret of the bug" not in text
    named = re.search(r"see the log at (\S+\.txt)\.", text)
    assert named is not None
    assert "RuntimeError: the secret of the bug" in await anyio.Path(named[1]).read_text()
    assert text_of(after).startswith("Nothing was dispatched yet.")


def test_an_error_that_is_too_long_keeps_both_ends() -> None:
    text = text_of(result_of(Reply(text=f"first{'x' * 20_000}last", is_error=True)))

    assert len(text) <= ERROR_CHARS
    assert text.startswith("first")
    assert text.endswith("last")
    assert "characters left out" in text


async def test_the_prompts_say_the_way_in_the_order_of_the_tools(sandbox: Sandbox) -> None:
    with anyio.fail_after(PATIENCE_S):
        async with Client(build(bench_of(sandbox))) as client:
            prompts = {one.name for one in (await client.list_prompts()).prompts}
            delegate = await prompt(client, "delegate", what="plans/login.md")
            review = await prompt(client, "review", dispatch="001-add-login-7k3f")
            tools = {tool.name for tool in (await client.list_tools()).tools}

    assert prompts == {"delegate", "review"}
    assert "plans/login.md" in delegate
    order = [delegate.index(word) for word in ("plan_to_spec", "dispatch_spec", "revise_task")]
    assert order == sorted(order)
    assert "001-add-login-7k3f" in review
    named = set(re.findall(r"\b[a-z]+_[a-z]+\b", delegate + review))
    assert named - {"dry_run", "plan_path"} <= tools


async def prompt(client: Client, name: str, **arguments: str) -> str:
    """Return what a prompt says."""
    (message,) = (await client.get_prompt(name, arguments)).messages
    assert isinstance(message.content, TextContent)
    return message.content.text
