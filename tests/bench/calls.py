"""(m) How long the short calls of a server that is up take: the list of tools, a plan's spec."""

from functools import partial
from pathlib import Path

from tests.bench.ground import EMPTY, OURS, repository, settle
from tests.bench.hook import PLAN
from tests.bench.pairing import interleave, milliseconds
from tests.bench.table import Aim, Row
from tests.bench.wire import connected


def rows(scratch: Path, *, rounds: int) -> list[Row]:
    """Measure a request to its answer, in milliseconds; the yardstick is an empty server's list."""
    settle(scratch, kimi=Path("/nonexistent/kimi"))  # none of these calls needs one
    project = repository(scratch / "project")
    with connected(OURS, cwd=project.root) as server, connected(EMPTY, cwd=scratch) as empty:
        for one in (server, empty):
            one.tools()
        ours, theirs, planned = interleave(
            [
                partial(milliseconds, partial(server.ask, "tools/list")),
                partial(milliseconds, partial(empty.ask, "tools/list")),
                partial(milliseconds, partial(server.call, "plan_to_spec", plan=PLAN)),
            ],
            rounds=rounds,
        )
    return [
        Row(
            figure="m tools/list / of an empty server",
            unit="ms",
            ours=ours,
            yardstick=theirs,
            aim=Aim("difference", 5),
        ),
        Row(
            figure="m plan_to_spec, two tasks / tools/list of an empty server",
            unit="ms",
            ours=planned,
            yardstick=theirs,
            aim=Aim("ours", 100),
        ),
    ]
