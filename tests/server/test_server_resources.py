"""Every resource answers, what does not exist is said to, and all of the history can be reached."""

import re

import anyio
import pytest
from mcp import Client, MCPError
from mcp.types import INVALID_PARAMS, TextResourceContents

from kimi_mcp.demo.script import say, write
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import new_dispatch_id
from kimi_mcp.lifecycle import DispatchState
from patience import PATIENCE_S
from sandbox import Sandbox, StartModel
from serving import connected, text_of
from unwritten import new_dispatch

TASK = "# Your task (1)"
STRANGERS = (
    "kimi://nothing",
    "kimi://dispatches/001-one-part-zzzz",
    "kimi://dispatches/..%2Fhistory.db",
    "kimi://dispatches/before/001-one-part-zzzz",
    "kimi://dispatches/{id}/tasks/2/diff",
    "kimi://dispatches/{id}/tasks/first/diff",
    "kimi://dispatches/{id}/tasks/2/transcript",
    "kimi://specs/7",
)


async def test_all_resources_answer_and_strangers_are_unknown(
    one_task: Sandbox, start_model: StartModel
) -> None:
    start_model({TASK: (write("one.py", "ONE = 1\n"), say("done"))})
    with anyio.fail_after(PATIENCE_S):
        async with connected(one_task) as client:
            done = text_of(await client.call_tool("dispatch_spec", {"spec": "1"}))
            dispatch = done.split(":", 1)[0]
            task = f"kimi://dispatches/{dispatch}/tasks/1"
            for uri, expected in {
                "kimi://dispatches": f"| {dispatch} | finished | 1/1 | 2 |",
                f"kimi://dispatches/before/{dispatch}": f"Nothing was dispatched before {dispatch}",
                f"kimi://dispatches/{dispatch}": f"kimi/{dispatch}/task-1",
                f"{task}/diff": "+ONE = 1",
                f"{task}/transcript": "Write one.py",
                "kimi://specs/1": "# Spec: 001 -- One part",
                "kimi://profiles": "Default profile: moderato",
            }.items():
                assert expected in await content(client, uri)

            listed = await client.list_resources()
            assert {str(one.uri) for one in listed.resources} >= {
                "kimi://dispatches",
                "kimi://profiles",
            }
            templates = await client.list_resource_templates()
            assert {one.uri_template for one in templates.resource_templates} == {
                "kimi://dispatches/before/{id}",
                "kimi://dispatches/{id}",
                "kimi://dispatches/{id}/tasks/{n}/diff",
                "kimi://dispatches/{id}/tasks/{n}/transcript",
                "kimi://specs/{number}",
            }

            for stranger in STRANGERS:
                with pytest.raises(MCPError) as refused:
                    await content(client, stranger.format(id=dispatch))
                assert refused.value.error.code == INVALID_PARAMS, stranger


async def test_the_whole_history_is_reached_by_paging(sandbox: Sandbox, bench: Workbench) -> None:
    made = [add_finished(bench, sandbox, number) for number in range(1, 121)]
    found: list[str] = []
    uri: str | None = "kimi://dispatches"
    pages = 0
    with anyio.fail_after(PATIENCE_S):
        async with connected(sandbox) as client:
            while uri is not None:
                page = await content(client, uri)
                pages += 1
                found += re.findall(r"^\| (\d+-\S+) \|", page, re.MULTILINE)
                older = re.search(r"^Older: (\S+)$", page, re.MULTILINE)
                uri = older[1] if older else None

    assert found == list(reversed(made))
    assert pages == 3


async def content(client: Client, uri: str) -> str:
    """Read a resource of one part."""
    (part,) = (await client.read_resource(uri)).contents
    assert isinstance(part, TextResourceContents)
    assert part.mime_type == "text/markdown"
    return part.text


def add_finished(bench: Workbench, sandbox: Sandbox, number: int) -> str:
    """Write a dispatch down that was cancelled before it began."""
    dispatch = new_dispatch_id(number, "old", "7k3f")
    bench.history.add(
        new_dispatch(dispatch, sandbox.root, spec_number=number, spec_title="Old"),
        at=bench.stamp(),
    )
    bench.history.move_dispatch(
        dispatch,
        source=DispatchState.QUEUED,
        target=DispatchState.CANCELLED,
        at=bench.stamp(),
    )
    return dispatch
