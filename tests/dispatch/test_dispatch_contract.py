"""The contract of a task's events: one `Started` first, one `Ended` last, whatever Kimi prints."""

import sys
from itertools import pairwise
from pathlib import Path

import pytest

from dispatching import carried_out, printed, spec_of
from kimi_mcp.dispatch.events import Ended, Started, Step, decode
from kimi_mcp.lifecycle import TaskState
from sandbox import Sandbox

KINDS = 12
BABBLER = """\
import json, pathlib, random, re, sys

if sys.argv[1:] == ["--version"]:
    print("2.1.0")
    raise SystemExit
number = int(re.search(r"Your task \\((\\d+)\\)", " ".join(sys.argv))[1])
pathlib.Path(f"made-{number}.txt").write_text("made")
dice = random.Random(number)
hint = {"role": "meta", "type": "session.resume_hint", "session_id": "session_x"}
lines = [
    json.dumps(record).encode()
    for record in (
        {"role": "meta", "type": "system.version", "version": "2.1.0"},
        *({"role": "assistant", "content": f"step {n}"} for n in range(5)),
        hint,
    )
]
for _ in range(number):
    place = dice.randrange(len(lines))
    line = lines[place]
    lines[place] = dice.choice(
        [
            line[: dice.randrange(len(line) + 1)],
            line[::-1],
            line + bytes(dice.randrange(256) for _ in range(40)),
            b"\\xff\\xfe" + line,
            line + line,
            b'{"role": "assistant", "content": {"deep": [null]}, "type": 7}',
        ]
    )
sys.stdout.buffer.write(b"\\n".join(lines) + dice.choice([b"", b"\\n"]))
raise SystemExit(dice.choice([0, 0, 1]))
"""


async def test_damaged_output_never_breaks_the_order_of_events_and_never_makes_a_success(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    babbler = tmp_path / "kimi"
    babbler.write_text(f"#!{sys.executable}\n{BABBLER}", encoding="utf-8")
    babbler.chmod(0o755)
    monkeypatch.setenv("KIMI_MCP_KIMI", str(babbler))
    tasks = (
        f"Kind {number}\nFiles:\n- CREATE made-{number}.txt\nVerification:\n- `true`\n"
        for number in range(1, KINDS + 1)
    )

    done = await carried_out(sandbox, spec_of(*tasks))

    for number in range(1, KINDS + 1):
        events = [decode(e.kind, e.payload) for e in done.events if e.task == number]
        assert [type(event) for event in events].count(Started) == 1
        assert [type(event) for event in events].count(Ended) == 1
        assert isinstance(events[0], Started)
        assert isinstance(events[-1], Ended)
        steps = [event.number for event in events if isinstance(event, Step)]
        assert all(after in {before, before + 1} for before, after in pairwise(steps))
        attempt = done.bench.state.run(done.id).task(number).attempt(1)
        if b'"session.resume_hint"' not in printed(attempt / "stdout.jsonl"):
            assert done.task(number).task.state is not TaskState.DELIVERED
    assert len(set(done.outcomes.values())) > 1
