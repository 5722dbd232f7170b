"""A call without news goes on showing that it lives; Claude Code gives up one that does not."""

import re
import threading

import anyio
import pytest
from mcp import Client

from dispatching import bench_of
from kimi_mcp.demo.script import Reply, write
from kimi_mcp.server import streaming
from kimi_mcp.server.app import build
from patience import PATIENCE_S
from sandbox import Sandbox, StartModel
from serving import text_of

TASK = "# Your task (1)"


async def test_the_latest_line_is_repeated_with_the_time_since_and_progress_rises(
    one_task: Sandbox,
    start_model: StartModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(streaming, "BEAT_S", 0.05)
    held = threading.Event()
    start_model({TASK: (write("one.py", "ONE = 1\n"), Reply(text="done", wait_for=held))})
    heard: list[tuple[float, str]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        assert total is None
        heard.append((progress, message or ""))
        if message and re.fullmatch(r"step \d+ · task 1/1 · .* · \d+ s", message):
            held.set()

    with anyio.fail_after(PATIENCE_S):
        async with Client(build(bench_of(one_task))) as client:
            done = await client.call_tool("dispatch_spec", {"spec": "1"}, progress_callback=hear)

    assert "1 of 1 delivered" in text_of(done)
    numbers = [number for number, _ in heard]
    assert numbers == sorted(set(numbers))
    assert held.is_set()
