"""(j) How long what is asked of a long history takes, and how much memory it needs.

Histories of 1,000, 5,000 and 20,000 dispatches with 50 events each, spread over the last year; the
yardstick is the same question to the shortest. Asked over the wire of a server that is up, but for
the command line's listing, of which the interpreter's start is left out.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Literal

from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.review.listing import dispatch_table
from tests.bench.ground import OURS, repository, settle
from tests.bench.memory import megabytes
from tests.bench.pairing import interleave, milliseconds
from tests.bench.table import Aim, Row
from tests.bench.wire import Wire, connected
from tests.long_history import lengthen

DISPATCHES = (1_000, 5_000, 20_000)
EVENTS = 50
YEAR = timedelta(days=365)
AIM_MS = 20
ADDED_UP = {"kimi://quota"}  # grows with what a week has spent, not with the history
ASKED = 10  # times, before the server's memory is looked at

Question = Callable[[], object]


def rows(scratch: Path, *, kimi: Path, rounds: int, sizes: Sequence[int] = DISPATCHES) -> list[Row]:
    """Measure a question to its answer, in milliseconds, and the server's memory in megabytes."""
    project = repository(scratch / "project")
    with ExitStack() as stack:
        asked: list[Mapping[str, Question]] = []
        servers: list[Wire] = []
        for size in sizes:
            settle(scratch / str(size), kimi=kimi)
            bench = _long(size, project.root)
            server = stack.enter_context(connected(OURS, cwd=project.root))
            server.tools()
            servers.append(server)
            asked.append(_questions(server, bench))
        found: list[Row] = []
        for name in asked[0]:
            shown = interleave(
                [partial(milliseconds, questions[name]) for questions in asked], rounds=rounds
            )
            aim = None if name in ADDED_UP else Aim("ours", AIM_MS)
            found += _told(f"j {name}", "ms", sizes, shown, aim=aim)
        for question in (question for questions in asked for question in questions.values()):
            for _ in range(ASKED):
                question()
        held = [[megabytes(server.pid, "VmRSS")] for server in servers]
    return found + _told("j the server's memory after it", "MB", sizes, held, aim=None)


def _long(size: int, root: Path) -> Workbench:
    bench = Workbench.open()
    first = datetime.now(UTC) - YEAR
    lengthen(
        bench.history.path,
        dispatches=size,
        events=EVENTS,
        repository=str(root),
        first=first,
        apart=YEAR / (size + 1),
    )
    return bench


def _questions(server: Wire, bench: Workbench) -> Mapping[str, Question]:
    listed = bench.history.recent(limit=50)
    newest, middle = listed[0].id, listed[-1].id
    get = partial(server.call, "get_result", dispatch=middle)
    return {
        "kimi://dispatches": partial(server.ask, "resources/read", {"uri": "kimi://dispatches"}),
        "get_result": get,
        "get_result without an id": partial(server.call, "get_result"),
        "a transcript": partial(get, view="transcript"),
        "kimi://quota": partial(server.ask, "resources/read", {"uri": "kimi://quota"}),
        "resources/list": partial(server.ask, "resources/list"),
        "one dispatch's page": partial(
            server.ask, "resources/read", {"uri": f"kimi://dispatches/{newest}"}
        ),
        "kimi-mcp history": partial(dispatch_table, bench),
    }


def _told(
    name: str,
    unit: Literal["ms", "MB"],
    sizes: Sequence[int],
    shown: Sequence[Sequence[float]],
    *,
    aim: Aim | None,
) -> list[Row]:
    return [
        Row(
            figure=f"{name}, {size:,} dispatches / {sizes[0]:,}",
            unit=unit,
            ours=values,
            yardstick=shown[0],
            aim=aim,
        )
        for size, values in zip(sizes, shown, strict=True)
    ]
