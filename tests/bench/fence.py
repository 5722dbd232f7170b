"""(f) What the fence adds to a dispatched task: the same task with it and without.

A task has three programs within the fence: Kimi, and a check on its own and on the merged commit
where there is more than one task; here it is Kimi and one check.
"""

import os
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from kimi_mcp.demo.scripted_model import ScriptedModel, kimi_config
from tests.bench.ground import MARKER, OURS, SIX_STEPS, repository, settle
from tests.bench.pairing import interleave, milliseconds
from tests.bench.table import Aim, Row
from tests.bench.task import dispatched
from tests.bench.wire import Wire, connected

LEVELS = ("auto", "off")


def rows(scratch: Path, *, kimi: Path, rounds: int) -> list[Row]:
    """Measure `tools/call` to its reply with two servers that differ in the setting alone."""
    settle(scratch, kimi=kimi)
    with ExitStack() as stack:
        model = stack.enter_context(ScriptedModel({MARKER: SIX_STEPS}))
        config = kimi_config(model)
        (scratch / "kimi-home/config.toml").write_text(config, encoding="utf-8")
        servers: list[Wire] = []
        for level in LEVELS:
            os.environ["KIMI_MCP_FENCE"] = level
            project = repository(scratch / f"project-{level}")
            servers.append(stack.enter_context(connected(OURS, cwd=project.root)))
        del os.environ["KIMI_MCP_FENCE"]
        for server in servers:
            server.tools()
        fenced, unfenced = interleave(
            [partial(milliseconds, partial(dispatched, server)) for server in servers],
            rounds=rounds,
        )
    return [
        Row(
            figure="f task with the fence / without",
            unit="ms",
            ours=fenced,
            yardstick=unfenced,
            aim=Aim("difference", 150),
        )
    ]
