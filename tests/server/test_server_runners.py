"""What a server keeps at hand for the dispatch that follows a plan."""

import anyio
import psutil

from kimi_mcp.demo.script import say, write
from kimi_mcp.dispatch.runners import RUNNER
from kimi_mcp.dispatch.workbench import Workbench
from living import children, until
from patience import PATIENCE_S
from raw_client import raw_server
from sandbox import Sandbox, StartModel

TASKS = [{"title": "One", "files": ["one.py"], "verification": ["python3 -c 'import one'"]}]


async def test_the_runner_after_a_plan_comes_from_what_the_plan_had_loaded(
    sandbox: Sandbox, start_model: StartModel, bench: Workbench
) -> None:
    start_model({"# Your task (1)": (write("one.py", "ONE = 1\n"), say("done"))})
    with anyio.fail_after(PATIENCE_S):
        async with raw_server(sandbox) as client:
            await client.tool_text("plan_to_spec", tasks=TASKS, title="One")
            (source,) = children(client.pid, RUNNER)

            await client.tool_text("dispatch_spec", spec="1", background=True)

            (dispatch,) = bench.history.recent(limit=2)
            assert dispatch.runner_pid is not None
            assert psutil.Process(dispatch.runner_pid).ppid() == source.pid
            assert await client.hang_up() == 0
        await until(lambda: not source.is_running())
        await until(lambda: bench.history.dispatch(dispatch.id).state.is_terminal)


async def test_a_plan_that_is_only_tried_loads_nothing(sandbox: Sandbox) -> None:
    with anyio.fail_after(PATIENCE_S):
        async with raw_server(sandbox) as client:
            await client.tool_text("plan_to_spec", tasks=TASKS, title="One", dry_run=True)

            assert children(client.pid, RUNNER) == []
            assert await client.hang_up() == 0
