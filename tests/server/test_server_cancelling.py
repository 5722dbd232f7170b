"""Who ends a dispatch, and what is left of it: processes none, work all."""

import threading
from pathlib import Path

import anyio
import psutil
import pytest

from kimi_mcp.demo.script import Reply, bash, write
from kimi_mcp.demo.scripted_model import ScriptedModel
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.records import Dispatch
from kimi_mcp.lifecycle import DispatchState, TaskState
from living import until
from patience import PATIENCE_S
from raw_client import Era, RawClient, raw_server
from sandbox import Sandbox, StartModel
from serving import connected, text_of
from survivors import daemonized, happened, living, process_in, processes_of

TASK = "# Your task (1)"
TIMED_OUT = "SdkError: Request timed out"


async def test_cancelling_ends_every_process_that_kimi_started_and_keeps_the_work(
    one_task: Sandbox,
    start_model: StartModel,
    noticeboard: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KIMI_MCP_LIMITS_GRACE_S", "1")
    names = "regrouped", "daemon", "stubborn"
    regrouped, daemon, stubborn = (noticeboard / name for name in names)
    start_model(
        {
            TASK: (
                write("one.py", "HALF = 1\n"),
                bash(
                    f"setsid sh -c 'echo $$ > {regrouped}; exec sleep 300' >/dev/null 2>&1 &"
                    f"{daemonized(f'echo $$ > {daemon}; exec sleep 300')}"
                ),
                bash(f"trap '' TERM; echo $$ > {stubborn}; while :; do sleep 1; done"),
            )
        }
    )
    with anyio.fail_after(PATIENCE_S):
        async with connected(one_task) as client:
            begun = await client.call_tool("dispatch_spec", {"spec": "1", "background": True})
            dispatch = text_of(begun).split(":", 1)[0]
            started = [await process_in(file) for file in (regrouped, daemon, stubborn)]
            assert living(started) == started

            result = await client.call_tool("cancel_dispatch", {"dispatch": dispatch})

        assert not living(started)
        await until(lambda: not processes_of(dispatch))  # the runner has said its last word
        assert not result.is_error
        assert text_of(result).startswith(f"{dispatch}: cancelled, 0 of 1 delivered, 1 cancelled")
        ref = f"refs/kimi/{dispatch}/task-1.a1"
        assert ref in text_of(result)
        assert one_task.show(ref, "one.py") == "HALF = 1"
        assert one_task.git("for-each-ref", "refs/heads/kimi") == ""


async def test_cancelling_what_is_over_says_that_nothing_was_running(
    one_task: Sandbox, start_model: StartModel
) -> None:
    start_model({TASK: (write("one.py", "ONE = 1\n"), Reply(text="done"))})
    with anyio.fail_after(PATIENCE_S):
        async with connected(one_task) as client:
            done = text_of(await client.call_tool("dispatch_spec", {"spec": "1"}))
            dispatch = done.split(":", 1)[0]

            result = await client.call_tool("cancel_dispatch", {"dispatch": dispatch})

    assert not result.is_error
    assert text_of(result).startswith(f"{dispatch}: 1 of 1 delivered")
    assert text_of(result).endswith("Nothing of it was running.")


@pytest.mark.parametrize(
    ("reason", "era"),
    [
        ("AbortError: user-cancel", "modern"),
        ("AbortError: user-cancel", "legacy"),
        ("AbortError: remote-cancel", "modern"),
    ],
)
async def test_a_call_that_the_user_ends_ends_the_dispatch(
    one_task: Sandbox, start_model: StartModel, bench: Workbench, reason: str, era: Era
) -> None:
    model, _ = held_model(start_model)
    with anyio.fail_after(PATIENCE_S):
        async with raw_server(one_task, era=era) as client:
            call = client.tool_call("dispatch_spec", spec="1")
            await client.send(call)
            await happened(model.reached(TASK, 1))

            await client.send(client.cancellation(call, reason=reason))

            dispatch = await ended(bench)
            await silent_about(client, call)
    assert dispatch.state is DispatchState.CANCELLED
    assert bench.history.task(dispatch.id, 1).state is TaskState.CANCELLED
    assert one_task.show(f"refs/kimi/{dispatch.id}/task-1.a1", "one.py") == "ONE = 1"


async def test_a_call_that_timed_out_leaves_its_dispatch_going(
    one_task: Sandbox, start_model: StartModel, bench: Workbench
) -> None:
    model, held = held_model(start_model)
    with anyio.fail_after(PATIENCE_S):
        async with raw_server(one_task) as client:
            call = client.tool_call("dispatch_spec", spec="1")
            await client.send(call)
            await happened(model.reached(TASK, 1))

            await client.send(client.cancellation(call, reason=TIMED_OUT))
            await silent_about(client, call)
            held.set()

            dispatch = await ended(bench)
    assert dispatch.state is DispatchState.FINISHED
    assert bench.history.task(dispatch.id, 1).state is TaskState.DELIVERED


async def test_who_only_waits_ends_the_waiting_and_not_the_dispatch(
    one_task: Sandbox, start_model: StartModel, bench: Workbench
) -> None:
    model, held = held_model(start_model)
    with anyio.fail_after(PATIENCE_S):
        async with raw_server(one_task) as client:
            await client.ask(client.tool_call("dispatch_spec", spec="1", background=True))
            await happened(model.reached(TASK, 1))
            waiting = client.tool_call("get_result", wait_s=600)
            await client.send(waiting)

            await client.send(client.cancellation(waiting, reason="AbortError: user-cancel"))

            await silent_about(client, waiting)
            held.set()
            dispatch = await ended(bench)
    assert dispatch.state is DispatchState.FINISHED
    assert dispatch.cancel_requested_at is None


async def test_a_closed_connection_ends_the_server_at_once_and_leaves_the_dispatch_going(
    one_task: Sandbox, start_model: StartModel, bench: Workbench
) -> None:
    model, held = held_model(start_model)
    with anyio.fail_after(PATIENCE_S):
        async with raw_server(one_task) as client:
            call = client.tool_call("dispatch_spec", spec="1")
            await client.send(call)
            await happened(model.reached(TASK, 1))

            with anyio.fail_after(PATIENCE_S):
                assert await client.hang_up() == 0
            assert not psutil.pid_exists(client.pid)
            held.set()

            dispatch = await ended(bench)
    assert dispatch.state is DispatchState.FINISHED
    assert bench.history.task(dispatch.id, 1).state is TaskState.DELIVERED


@pytest.mark.parametrize("is_background", [False, True])
async def test_a_call_that_the_user_ends_before_its_dispatch_began_starts_no_work(
    one_task: Sandbox, start_model: StartModel, bench: Workbench, *, is_background: bool
) -> None:
    held_model(start_model)
    with anyio.fail_after(PATIENCE_S):
        async with raw_server(one_task) as client:
            await client.ask(client.request("tools/list"))
            call = client.tool_call("dispatch_spec", spec="1", background=is_background)

            await client.send(call, client.cancellation(call, reason="AbortError: user-cancel"))

            await silent_about(client, call)
            assert await client.hang_up() == 0
        await until(lambda: not bench.history.live())
    assert [one.state for one in bench.history.recent(limit=2)] in (
        [],
        [DispatchState.CANCELLED],
    )


async def test_a_cancellation_while_the_dispatch_is_being_started_is_not_forgotten(
    one_task: Sandbox, start_model: StartModel, bench: Workbench
) -> None:
    held_model(start_model)
    with anyio.fail_after(PATIENCE_S):
        async with raw_server(one_task) as client:
            call = client.tool_call("dispatch_spec", spec="1")
            await client.send(call)
            await until(lambda: bool(bench.history.live()))

            await client.send(client.cancellation(call, reason="AbortError: user-cancel"))

            dispatch = await ended(bench)
            await silent_about(client, call)
    assert dispatch.state is DispatchState.CANCELLED


def held_model(start_model: StartModel) -> tuple[ScriptedModel, threading.Event]:
    """Serve a task that writes its file, and then waits until the event is set."""
    held = threading.Event()
    done = Reply(text="done", wait_for=held)
    return start_model({TASK: (write("one.py", "ONE = 1\n"), done)}), held


async def ended(bench: Workbench) -> Dispatch:
    """Wait for the end of the only dispatch."""
    await until(lambda: not bench.history.live(), within_s=40)
    (dispatch,) = bench.history.recent(limit=2)
    return dispatch


async def silent_about(client: RawClient, call: dict[str, object]) -> None:
    """Show that the server lives, and that it has not answered *call*."""
    assert (await client.ask(client.request("tools/list")))["tools"]
    assert not any(message.get("id") == call["id"] for message in client.heard)
