"""Not waiting, waiting and only looking: background, wait_s and dry_run."""

import threading

import anyio

from kimi_mcp.demo.script import Reply, write
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.lifecycle import DispatchState
from living import until
from patience import PATIENCE_S
from sandbox import Sandbox, StartModel
from serving import connected, text_of
from survivors import happened

TASK = "# Your task (1)"
TWO_TASKS = """\
# Spec: 001 -- Two parts

## Tasks
### Task 1: One
Files:
- CREATE one.py
Verification:
- `true`

### Task 2: Two
Depends on: Task 1
Files:
- CREATE two.py
Verification:
- `true`
"""


async def test_a_background_dispatch_returns_at_once_and_waiting_returns_at_a_tasks_end(
    sandbox: Sandbox, start_model: StartModel, bench: Workbench
) -> None:
    sandbox.write("specs/001-two-parts.md", TWO_TASKS)
    sandbox.commit()
    first, second = threading.Event(), threading.Event()
    model = start_model(
        {
            TASK: (write("one.py", ""), Reply(text="done", wait_for=first)),
            "# Your task (2)": (write("two.py", ""), Reply(text="done", wait_for=second)),
        }
    )
    heard: list[str] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        assert total is None
        assert progress > 0
        heard.append(message or "")
        first.set()  # only now, so the call has been waiting

    with anyio.fail_after(PATIENCE_S):
        async with connected(sandbox) as client:
            begun = await client.call_tool("dispatch_spec", {"spec": "1", "background": True})
            dispatch = text_of(begun).split(":", 1)[0]
            assert not begun.is_error
            assert text_of(begun).startswith(f"{dispatch}: running, 2 tasks from {sandbox.root}")
            assert bench.history.recent(limit=1)[0].state is DispatchState.RUNNING

            waited = await client.call_tool(
                "get_result", {"dispatch": dispatch, "wait_s": 50}, progress_callback=hear
            )
            assert text_of(waited).startswith(f"{dispatch}: running, 1 of 2 delivered")
            assert any("task 1/2" in line for line in heard)

            await happened(model.reached("# Your task (2)", 1))
            impatient = await client.call_tool("get_result", {"wait_s": 0.2})
            assert text_of(impatient).startswith(f"{dispatch}: running, 1 of 2 delivered")
            assert "cancel_dispatch" in text_of(impatient)

            second.set()
            await until(lambda: not bench.history.live())
            over = await client.call_tool("get_result", {"wait_s": 600})
            assert text_of(over).startswith(f"{dispatch}: 2 of 2 delivered")


async def test_a_dry_run_tells_what_would_happen_and_writes_nothing(
    one_task: Sandbox, start_model: StartModel, bench: Workbench
) -> None:
    plan = one_task.write(
        "plan.md", "# Plan: more\n\n## Task 1: Two\n\nCreate `two.py`.\n\nRun `python3 two.py`.\n"
    )
    start_model({})
    before = files_of(one_task)
    with anyio.fail_after(PATIENCE_S):
        async with connected(one_task) as client:
            dispatched = await client.call_tool("dispatch_spec", {"spec": "1", "dry_run": True})
            planned = await client.call_tool(
                "plan_to_spec", {"plan_path": str(plan), "dry_run": True}
            )

    assert not dispatched.is_error
    assert text_of(dispatched).startswith("specs/001-one-part.md in ")
    assert "can start, 1 task" in text_of(dispatched)
    assert not planned.is_error
    assert "nothing written (dry run)" in text_of(planned)
    assert files_of(one_task) == before
    assert bench.history.recent(limit=1) == ()
    assert not (bench.state.root / "runs").exists()
    assert one_task.git("for-each-ref", "refs/kimi", "refs/heads/kimi") == ""


async def test_a_dry_run_of_what_would_be_refused_lists_what_stands_in_the_way(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    sandbox.write(
        "specs/001-wrong.md",
        "# Spec: 001 -- Wrong\n\n## Tasks\n### Task 1: Wrong\nFiles:\n- MODIFY ap.py\n"
        "Verification:\n- `true`\n",
    )
    sandbox.commit()
    start_model({})
    with anyio.fail_after(PATIENCE_S):
        async with connected(sandbox) as client:
            looked = await client.call_tool("dispatch_spec", {"spec": "1", "dry_run": True})
            refused = await client.call_tool("dispatch_spec", {"spec": "1"})

    assert not looked.is_error
    assert "cannot start" in text_of(looked)
    assert "app.py" in text_of(looked)
    assert refused.is_error
    assert "app.py" in text_of(refused)


def files_of(sandbox: Sandbox) -> dict[str, bytes]:
    """Return everything in the checkout, git's own files included."""
    return {
        str(path.relative_to(sandbox.root)): path.read_bytes()
        for path in sorted(sandbox.root.rglob("*"))
        if path.is_file()
    }
