"""Many tasks in one dispatch: no more at work than the machine is to bear, and each gets its turn.

`FULL_CAMPAIGN=1 .venv/bin/pytest tests/campaign/test_campaign_many.py` runs all 64.
"""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from dispatching import Done, dispatched, spec_of, specify
from kimi_mcp.history.records import Event
from kimi_mcp.lifecycle import TaskState
from sandbox import Sandbox

TASKS = 64 if "FULL_CAMPAIGN" in os.environ else 12
AT_ONCE = 3
BOUND_S = 600.0 if "FULL_CAMPAIGN" in os.environ else 50.0
FAKE = Path(__file__).with_name("fake_kimi.py")


@pytest.mark.timeout(BOUND_S + 20)
async def test_a_wide_dispatch_is_carried_out_by_as_many_as_the_machine_may_have(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "kimi"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "{FAKE}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("KIMI_MCP_KIMI", str(program))
    readable = [str(FAKE.parent), sys.prefix, sys.base_prefix, str(program)]
    monkeypatch.setenv("KIMI_MCP_ALLOW_READ", json.dumps(readable))
    monkeypatch.setenv("KIMI_MCP_LIMITS_KIMIS", str(AT_ONCE))
    specify(sandbox, spec_of(*map(_task, range(1, TASKS + 1))))

    done = await dispatched(sandbox, bound_s=BOUND_S, max_parallel=TASKS)

    assert set(done.outcomes.values()) == {TaskState.DELIVERED}
    assert _most_at_once(done.events) <= AT_ONCE
    assert _held(sandbox, done) == {f"made-{number}.txt" for number in range(1, TASKS + 1)}
    assert len([*done.bench.state.run(done.id).slots.glob("*.lock")]) <= AT_ONCE


def _task(number: int) -> str:
    acts = json.dumps([["write", f"made-{number}.txt", f"{number}\n"]])
    return f"Part {number}\nFiles:\n- CREATE made-{number}.txt\nRequirements:\n- ACTS {acts}\n"


def _most_at_once(events: Sequence[Event]) -> int:
    at_work, most = 0, 0
    for event in events:
        at_work += (event.kind == "task.started") - (event.kind == "task.ended")
        most = max(most, at_work)
    return most


def _held(sandbox: Sandbox, done: Done) -> set[str]:
    """Name what the merged branch holds of the tasks."""
    files = sandbox.git("ls-tree", "--name-only", f"kimi/{done.id}/merged").splitlines()
    return {file for file in files if file.startswith("made-")}
