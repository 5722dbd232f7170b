"""What is listed, completed and told of dispatches, whichever process works on them."""

from collections.abc import Callable, Generator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.types import ResourceTemplateReference

from kimi_mcp.demo.script import say, write
from kimi_mcp.dispatch.start import taken
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId, new_dispatch_id
from kimi_mcp.lifecycle import DispatchState
from kimi_mcp.server.news import News
from patience import PATIENCE_S
from raw_client import Era, RawClient, raw_server
from sandbox import Sandbox, StartModel
from serving import connected, text_of
from turning import attempt_at, told
from unwritten import new_dispatch

LIST_CHANGED = "notifications/resources/list_changed"
UPDATED = "notifications/resources/updated"
Begin = Callable[[DispatchId], None]


@pytest.fixture
def begin(bench: Workbench, sandbox: Sandbox) -> Generator[Begin]:
    """Write dispatches down as another process does that is about to start their runners."""
    with ExitStack() as holding:

        def write_down(dispatch: DispatchId) -> None:
            holding.enter_context(taken(bench, dispatch))
            bench.history.add(new_dispatch(dispatch, sandbox.root), at=bench.stamp())

        yield write_down


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_a_client_learns_of_what_another_process_begins_and_ends(
    sandbox: Sandbox, bench: Workbench, begin: Begin, era: Era
) -> None:
    coming = new_dispatch_id(1, "one", "7k3f")
    page = f"kimi://dispatches/{coming}"
    with anyio.fail_after(PATIENCE_S):
        async with raw_server(sandbox, era=era) as client:
            if era == "modern":
                wanted: dict[str, Any] = {"resourcesListChanged": True}
                await client.send(
                    client.request(
                        "subscriptions/listen",
                        notifications={**wanted, "resourceSubscriptions": [page]},
                    )
                )
                await heard(client, "notifications/subscriptions/acknowledged")
            else:
                await client.ask(client.request("resources/subscribe", uri=page))
            await client.ask(client.request("resources/list"))

            begin(coming)
            await heard(client, LIST_CHANGED)
            assert (await heard(client, UPDATED))["params"]["uri"] == page
            assert page in await listed(client)

            bench.history.tell(attempt_at(coming), told("task.noted", bench.stamp()))
            assert (await heard(client, UPDATED))["params"]["uri"] == page

            end(bench, coming)
            await heard(client, LIST_CHANGED)


async def test_what_changes_after_the_first_answer_is_news_however_late_it_is_looked_for(
    bench: Workbench, begin: Begin
) -> None:
    news, is_told = News(bench), anyio.Event()
    news.bus.subscribe(lambda _: is_told.set())
    question: Any = SimpleNamespace(method="resources/list")

    async def answer(_: object) -> None:
        return None

    with anyio.fail_after(PATIENCE_S):
        await news.watch(question, answer)
        begin(new_dispatch_id(1, "one", "7k3f"))
        async with anyio.create_task_group() as group:
            group.start_soon(news.publish)
            await is_told.wait()
            group.cancel_scope.cancel()


async def test_in_the_handshake_era_the_server_says_what_it_tells(sandbox: Sandbox) -> None:
    with anyio.fail_after(PATIENCE_S):
        async with connected(sandbox, mode="legacy") as client:
            capabilities = client.server_capabilities

    assert capabilities.resources is not None
    assert (capabilities.resources.list_changed, capabilities.resources.subscribe) == (True, True)


async def test_a_client_that_has_unsubscribed_is_told_no_more(
    sandbox: Sandbox, begin: Begin
) -> None:
    first, second = (new_dispatch_id(number, "one", "7k3f") for number in (1, 2))
    with anyio.fail_after(PATIENCE_S):
        async with raw_server(sandbox, era="legacy") as client:
            for method in ("resources/subscribe", "resources/unsubscribe"):
                await client.ask(client.request(method, uri=f"kimi://dispatches/{first}"))
            await client.ask(
                client.request("resources/subscribe", uri=f"kimi://dispatches/{second}")
            )
            begin(first)
            await heard(client, LIST_CHANGED)
            begin(second)

            told = await heard(client, UPDATED)

    assert told["params"]["uri"] == f"kimi://dispatches/{second}"


async def test_live_and_recent_dispatches_are_listed_and_ids_complete(
    one_task: Sandbox, start_model: StartModel, bench: Workbench, begin: Begin
) -> None:
    old = [new_dispatch_id(number, "old", "7k3f") for number in range(101, 113)]
    for dispatch in old:
        begin(dispatch)
        if dispatch != old[0]:  # that one waits for its runner
            end(bench, dispatch)
    start_model({"# Your task (1)": (write("one.py", "ONE = 1\n"), say("done"))})
    with anyio.fail_after(PATIENCE_S):
        async with connected(one_task) as client:
            done = text_of(await client.call_tool("dispatch_spec", {"spec": "1"}))
            newest = done.split(":", 1)[0]
            uris = [str(one.uri) for one in (await client.list_resources()).resources]
            assert f"kimi://dispatches/{newest}" in uris
            assert f"kimi://dispatches/{newest}/tasks/1/diff" in uris
            assert f"kimi://dispatches/{newest}/tasks/1/transcript" in uris
            assert f"kimi://dispatches/{old[-1]}" in uris
            assert f"kimi://dispatches/{old[1]}" not in uris
            assert f"kimi://dispatches/{old[0]}" in uris  # old, but live

            template = "kimi://dispatches/{id}/tasks/{n}/diff"
            assert await completed(client, template, "id", "one-part") == [newest]
            assert (await completed(client, template, "id", ""))[0] == newest
            assert await completed(client, template, "n", "", id=newest) == ["1"]
            assert await completed(client, template, "n", "", id="nothing") == []
            assert await completed(client, "kimi://specs/{number}", "number", "0") == ["001"]


async def completed(
    client: Client, template: str, name: str, value: str, **chosen: str
) -> list[str]:
    """Complete an argument of an address."""
    ref = ResourceTemplateReference(type="ref/resource", uri=template)
    found = await client.complete(ref, {"name": name, "value": value}, context_arguments=chosen)
    return list(found.completion.values)


async def listed(client: RawClient) -> list[str]:
    """List the addresses of the server's resources."""
    found = await client.ask(client.request("resources/list"))
    return [one["uri"] for one in found["resources"]]


async def heard(client: RawClient, method: str) -> dict[str, Any]:
    """Read until the server sends a notification of this kind that was not there before."""
    while (message := await client.next_message()).get("method") != method:
        pass
    return message


def end(bench: Workbench, dispatch: DispatchId) -> None:
    """Cancel a dispatch that was never begun."""
    bench.history.move_dispatch(
        dispatch, source=DispatchState.QUEUED, target=DispatchState.CANCELLED, at=bench.stamp()
    )
