"""(d) How old a line of Kimi's journal is when its progress reaches the client.

The journal is followed here too, at a finer beat than the product's; each line that is worth a
line of progress is paired with the one that came of it. What is measured is the way from the file
to the client: the runner's poll, the history, the server's poll, the wire.
"""

import json
import threading
import time
from pathlib import Path
from typing import Any

from kimi_mcp.demo.script import bash
from kimi_mcp.demo.scripted_model import ScriptedModel, kimi_config
from tests.bench.ground import MARKER, OURS, SIX_STEPS, repository, settle
from tests.bench.pairing import percentile
from tests.bench.table import Aim, Row
from tests.bench.wire import Wire, connected

BEAT_S = 0.002
COMMANDS = 20  # more steps than the other figures have: a 99th percentile needs many lines


def rows(scratch: Path, *, kimi: Path, rounds: int) -> list[Row]:
    """Measure a journal line's appearance to its progress on the wire, in milliseconds."""
    settle(scratch, kimi=kimi)
    project = repository(scratch / "project")
    script = (
        *SIX_STEPS[:-1],
        *(bash(f"true {number}") for number in range(COMMANDS)),
        SIX_STEPS[-1],
    )
    lags: list[float] = []
    with ScriptedModel({MARKER: script}) as model, connected(OURS, cwd=project.root) as server:
        config = kimi_config(model)
        (scratch / "kimi-home/config.toml").write_text(config, encoding="utf-8")
        server.tools()
        for _ in range(rounds):
            lags += _lags(server, runs=scratch / "state/runs")
    return [
        Row(figure="d journal to progress, median", unit="ms", ours=lags, aim=Aim("ours", 100)),
        Row(
            figure="d journal to progress, 99 %",
            unit="ms",
            ours=[percentile(lags, 99)],
            aim=Aim("ours", 400),
        ),
    ]


def _lags(server: Wire, *, runs: Path) -> list[float]:
    earlier = frozenset(_journals(runs))
    is_over = threading.Event()
    seen: list[tuple[str, int]] = []
    tail = threading.Thread(target=_tail, args=(runs, earlier, is_over, seen))
    tail.start()
    try:
        server.call("dispatch_spec", spec="1")
    finally:
        is_over.set()
        tail.join()
    told = [(kind, one.at_ns) for one in server.heard if (kind := _kind(one.message))]
    # by kind: what another feed of the runner told first may stand before its turn
    pairs = zip(sorted(seen, key=_by_kind), sorted(told, key=_by_kind), strict=True)
    return [(told_ns - seen_ns) / 1e6 for (_, seen_ns), (_, told_ns) in pairs]


def _tail(
    runs: Path, earlier: frozenset[Path], is_over: threading.Event, seen: list[tuple[str, int]]
) -> None:
    """Append each line that is worth progress to *seen*, with the moment when it was there."""
    rest = b""
    while not (fresh := set(_journals(runs)) - earlier):
        if is_over.wait(BEAT_S):
            return
    with fresh.pop().open("rb") as journal:
        is_last = False
        while not is_last:
            is_last = is_over.wait(BEAT_S)
            *lines, rest = (rest + journal.read()).split(b"\n")
            at_ns = time.time_ns()
            seen += [(kind, at_ns) for line in lines if (kind := _journal_kind(line))]


def _journals(runs: Path) -> list[Path]:
    return [*runs.glob("*/task-1/home/sessions/*/session_*/agents/main/wire.jsonl")]


def _by_kind(line: tuple[str, int]) -> str:
    return line[0]


def _journal_kind(line: bytes) -> str | None:
    record: dict[str, Any] = json.loads(line)
    if record["type"] != "context.append_loop_event":
        return None
    return {"step.begin": "step", "tool.call": "tool"}.get(record["event"]["type"])


def _kind(message: str) -> str | None:
    """Tell what `step 7 · task 1/1 · "Edit app.py"` is about, if it came of the journal."""
    word = message.rsplit(" · ", maxsplit=1)[-1].strip('"').split(" ", maxsplit=1)[0]
    return {"thinking": "step"}.get(word) or ("tool" if word in {"Read", "Edit", "Bash"} else None)
