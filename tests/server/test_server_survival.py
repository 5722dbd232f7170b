"""Nothing is lost: the server may die, the runner may die, and the work is found again."""

import threading
from pathlib import Path

import anyio

from kimi_mcp.demo.script import Reply, bash, say, write
from kimi_mcp.dispatch.recovery import lifeline
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.lifecycle import DispatchState, TaskState
from living import until
from patience import PATIENCE_S
from raw_client import raw_server
from sandbox import Sandbox, StartModel
from serving import connected, text_of
from survivors import daemonized, family_of, happened, living, process_in, processes_of

TASK = "# Your task (1)"
WITHIN_S = 10.0  # what the promise allows a dead runner's processes


async def test_a_killed_server_leaves_the_work_going_and_a_new_one_shows_it(
    one_task: Sandbox, start_model: StartModel, bench: Workbench
) -> None:
    held = threading.Event()
    model = start_model({TASK: (write("one.py", "ONE = 1\n"), Reply(text="done", wait_for=held))})
    with anyio.fail_after(PATIENCE_S):
        async with raw_server(one_task) as client:
            await client.send(client.tool_call("dispatch_spec", spec="1"))
            await happened(model.reached(TASK, 1))
            await client.kill()
        (dispatch,) = bench.history.recent(limit=2)
        assert dispatch.state is DispatchState.RUNNING
        held.set()
        await until(lambda: bench.history.dispatch(dispatch.id).state.is_terminal)

        async with connected(one_task) as client:
            result = await client.call_tool("get_result", {})

        assert text_of(result).startswith(f"{dispatch.id}: 1 of 1 delivered")
        assert one_task.show(f"kimi/{dispatch.id}/task-1", "one.py") == "ONE = 1"


async def test_a_killed_runner_takes_its_processes_along_and_its_clone_is_named(
    one_task: Sandbox, start_model: StartModel, bench: Workbench, noticeboard: Path
) -> None:
    daemon, stubborn = noticeboard / "daemon", noticeboard / "stubborn"
    start_model(
        {
            TASK: (
                write("one.py", "HALF = 1\n"),
                bash(daemonized(f"echo $$ > {daemon}; exec sleep 300")),
                bash(f"trap '' TERM; echo $$ > {stubborn}; while :; do sleep 1; done"),
            )
        }
    )
    with anyio.fail_after(PATIENCE_S):
        async with raw_server(one_task) as client:
            text = await client.tool_text("dispatch_spec", spec="1", background=True)
            assert await client.hang_up() == 0
        (dispatch,) = bench.history.recent(limit=2)
        assert text.startswith(f"{dispatch.id}: running")
        assert dispatch.runner_pid is not None
        started = [await process_in(daemon), await process_in(stubborn)]
        family = [*family_of(dispatch.runner_pid), *started]
        assert living(started) == started
        assert processes_of(dispatch.id)

        family[0].kill()
        await until(lambda: not living(family) and not processes_of(dispatch.id), within_s=WITHIN_S)

        async with connected(one_task) as client:
            shown = text_of(await client.call_tool("get_result", {}))
        clone = bench.state.run(dispatch.id).task(1).clone
        assert shown.startswith(f"{dispatch.id}: lost, 0 of 1 delivered, 1 lost")
        assert f"its work is in {clone}." in shown
        assert (clone / "one.py").read_text(encoding="utf-8") == "HALF = 1\n"
        assert bench.history.task(dispatch.id, 1).state is TaskState.LOST


async def test_a_runner_killed_during_the_checks_has_kept_the_work_under_a_ref(
    sandbox: Sandbox, start_model: StartModel, bench: Workbench, noticeboard: Path
) -> None:
    checking = noticeboard / "checking"
    sandbox.write(
        "specs/001-one.md",
        "# Spec: 001 -- One\n\n## Tasks\n### Task 1: One\nFiles:\n- CREATE one.py\n"
        f"Verification:\n- `echo $$ > {checking}; exec sleep 300`\n",
    )
    start_model({TASK: (write("one.py", "ONE = 1\n"), say("done"))})
    with anyio.fail_after(PATIENCE_S):
        async with raw_server(sandbox) as client:
            await client.send(client.tool_call("dispatch_spec", spec="1"))
            check = await process_in(checking)
            (dispatch,) = bench.history.recent(limit=2)
            assert dispatch.runner_pid is not None
            family = [*family_of(dispatch.runner_pid), check]
            assert living([check])

            family[0].kill()
            await until(
                lambda: not living(family) and not processes_of(dispatch.id), within_s=WITHIN_S
            )

        # that server may have been putting right what it saw when it was left
        await until(lambda: not lifeline.is_held(bench.state.run(dispatch.id)))
        async with connected(sandbox) as client:
            shown = text_of(await client.call_tool("get_result", {"dispatch": dispatch.id}))
        ref = f"refs/kimi/{dispatch.id}/task-1.a1"
        assert shown.startswith(f"{dispatch.id}: lost, 0 of 1 delivered, 1 lost")
        assert f"its work is in {ref}." in shown
        assert sandbox.show(ref, "one.py") == "ONE = 1"
