"""(b) How long a dispatched task takes, beside a bare `kimi -p` with the same prompt.

Both sides make a clone of their own first, and both talk to a model that answers at once, so what
is left is Kimi's own work and ours: launch, runner, commit, the checks on exactly that commit, the
branch, the merged branch, the reply. The bare Kimi runs twice: as people start it, and with the
compile cache that we give to Node.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import count
from pathlib import Path

from kimi_mcp.demo.scripted_model import ScriptedModel, kimi_config
from kimi_mcp.dispatch.running.assignment import assignment
from kimi_mcp.kimi import brief, code, command
from kimi_mcp.kimi.detect import detect_kimi
from kimi_mcp.processes.environment import passed_on
from kimi_mcp.spec.parse import parse
from kimi_mcp.state import StateFolder
from tests.bench.ground import MARKER, OURS, SIX_STEPS, SPEC, repository, settle
from tests.bench.pairing import interleave, milliseconds
from tests.bench.table import Aim, Row
from tests.bench.wire import Wire, connected

STEPS = 100  # the default profile's limit


def rows(scratch: Path, *, kimi: Path, rounds: int) -> list[Row]:
    """Measure `tools/call` to its reply, the server being up, in milliseconds."""
    settle(scratch, kimi=kimi)
    project = repository(scratch / "project")
    warm = detect_kimi(StateFolder.locate()).argv
    plain = (warm[0], str(kimi))
    clones = (scratch / f"bare-{number}" for number in count())
    with ScriptedModel({MARKER: SIX_STEPS}) as model, connected(OURS, cwd=project.root) as server:
        config = kimi_config(model)
        (scratch / "kimi-home/config.toml").write_text(config, encoding="utf-8")
        server.tools()
        ours, cold, warmed = interleave(
            [
                partial(milliseconds, partial(dispatched, server)),
                *(
                    partial(_bare, argv, project=project.root, clones=clones)
                    for argv in (plain, warm)
                ),
            ],
            rounds=rounds,
        )
    return [
        Row(
            figure="b task / bare kimi -p and clone",
            unit="ms",
            ours=ours,
            yardstick=cold,
            aim=Aim("ratio", 1.20),
        ),
        Row(
            figure="b task / the same with our compile cache",
            unit="ms",
            ours=ours,
            yardstick=warmed,
        ),
    ]


def dispatched(server: Wire) -> None:
    """Have the spec carried out, to the reply.

    Raises:
        RuntimeError: it was not delivered, so its time means nothing.
    """
    reply = server.call("dispatch_spec", spec="1")
    if ": 1 of 1 delivered" not in reply:
        raise RuntimeError(reply)


def _bare(argv: Sequence[str], *, project: Path, clones: Iterator[Path]) -> float:
    clone = next(clones)
    spec = parse(SPEC, name="spec")
    order = assignment(spec, spec.task(1), step_budget=STEPS, dependency_changes=())
    turn = command.Turn(
        prompt=brief.compose(order),
        home=Path(os.environ["KIMI_CODE_HOME"]),
        steps=STEPS,
        attempts=1,
    )
    env = code.environment(passed_on(os.environ), os.environ, turn)

    def work() -> None:
        subprocess.run(["git", "clone", "-q", "--shared", project, clone], check=True)
        subprocess.run(
            code.arguments(tuple(argv), turn),
            cwd=clone,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )

    took_ms = milliseconds(work)
    if '"world"' not in (clone / "app.py").read_text(encoding="utf-8"):
        raise RuntimeError(f"the bare Kimi has not done its work in {clone}")
    return took_ms
