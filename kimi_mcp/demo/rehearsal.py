"""A scripted task on another machine: does the whole path hold, before work depends on it?

The commits go there, its own Kimi asks a scripted model here, what it wrote is committed, checked
inside the fence, and comes back. No step is spent. The files of it are deleted in the end.
"""

import json
import tempfile
import time
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import anyio

from kimi_mcp.demo.script import say, write
from kimi_mcp.demo.scripted_model import ScriptedModel, kimi_config
from kimi_mcp.dispatch.admission import LaunchWish
from kimi_mcp.dispatch.cancel import cancel
from kimi_mcp.dispatch.follow import follow
from kimi_mcp.dispatch.launch import launch
from kimi_mcp.dispatch.planning.trusting import trust
from kimi_mcp.dispatch.recovery import lifeline
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.kimi.dialects import DIALECTS
from kimi_mcp.lifecycle import TaskState
from kimi_mcp.workspace.scratch import new_repository

SPEC_PATH = "specs/001-rehearsal.md"
SPEC = """\
# Spec: 001 -- Rehearsal

## Tasks

### Task 1: Write one line
Files:
- CREATE rehearsal.txt
Requirements:
- The line says that it was rehearsed.
Verification:
- `test -s rehearsal.txt`
"""
SCRIPT = {"# Your task (1)": (write("rehearsal.txt", "Rehearsed.\n"), say("Written."))}
LEAVING_S = 10.0  # for the runner to end, when all is done
BOUND_S = 60.0  # for a slot to be free, and the task


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """What came of it."""

    took_s: float
    trouble: str | None
    """In a sentence; nothing when the task was delivered."""


def rehearse(environ: Mapping[str, str], *, host: str, labels: Mapping[str, str]) -> Rehearsed:
    """Have a node with *labels* carry a scripted task out.

    Args:
        environ: whose Kimi and settings.
        host: an address of this machine that the node reaches; the model listens there.
        labels: of the node.

    Raises:
        KimiMcpError: it cannot even be begun; the message says why.
    """
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(
            prefix="kimi-mcp-rehearsal-", ignore_cleanup_errors=True
        ) as name,
        ScriptedModel(SCRIPT, host=host) as model,
    ):
        scratch = Path(name)
        project = scratch / "project"
        new_repository(project, {SPEC_PATH: SPEC}, message="A rehearsal")
        home = scratch / "kimi-home"
        home.mkdir()
        (home / "config.toml").write_text(kimi_config(model), encoding="utf-8")
        bench = Workbench.open(
            {
                **environ,
                **{dialect.home_variable: str(home) for dialect in DIALECTS.values()},
                "KIMI_MCP_HOME": str(scratch / "state"),
                "KIMI_MCP_CLUSTER_POLICY": "cluster",
                "KIMI_MCP_CLUSTER_CREDENTIAL": "hand_over",
                "KIMI_MCP_CLUSTER_LABELS": _toml_table(labels),
                "KIMI_MCP_CLUSTER_RETRIES": "0",
            }
        )
        trust(bench, str(project / SPEC_PATH))
        begun = launch(bench, LaunchWish(spec="1", repo=str(project)))
        is_by_itself = anyio.run(_came_to_an_end, bench, begun.dispatch)
        with lifeline.held(bench.state.run(begun.dispatch), wait_s=LEAVING_S):
            pass  # its runner writes no more
        row = bench.history.task(begun.dispatch, 1)
    if row.state is TaskState.DELIVERED:
        trouble = None
    elif is_by_itself:
        trouble = row.sentence or str(row.state)
    else:
        trouble = f"Nothing came of it within {BOUND_S:.0f} s; is one of its slots free?"
    return Rehearsed(took_s=time.monotonic() - began, trouble=trouble)


def _toml_table(values: Mapping[str, str]) -> str:
    pairs = (f"{json.dumps(key)} = {json.dumps(value)}" for key, value in values.items())
    return f"{{{', '.join(pairs)}}}"


async def _came_to_an_end(bench: Workbench, dispatch: DispatchId) -> bool:
    """Follow it to its end, and bring that about after a while; tell whether it came by itself."""
    with anyio.move_on_after(BOUND_S):
        await _to_its_end(bench, dispatch)
        return True
    await cancel(bench, dispatch, tasks=None, reason="The rehearsal took too long.")
    await _to_its_end(bench, dispatch)
    return False


async def _to_its_end(bench: Workbench, dispatch: DispatchId) -> None:
    async with aclosing(follow(bench, dispatch)) as events:
        async for _ in events:
            pass
