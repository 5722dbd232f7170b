"""(i) How long a person waits for the hook after a plan's approval.

The whole process, from its start to its end, as Claude Code runs it.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

from tests.bench.ground import settle
from tests.bench.pairing import interleave
from tests.bench.table import Aim, Row

PLAN = """\
# Plan: three greetings

## Task 1: A formal greeting
- Create `formal.py`
- Create `polite.py`
- Verify: `python3 -c "import formal, polite"`

## Task 2: A casual greeting
- Create `casual.py`
- Verify: `python3 -c "import casual"`
"""
OURS = (sys.executable, "-m", "kimi_mcp", "hook", "plan-approved")
BARE = (sys.executable, "-c", "pass")


def rows(scratch: Path, *, kimi: Path, rounds: int) -> list[Row]:
    """Measure process start to exit, in milliseconds."""
    settle(scratch, kimi=kimi)
    (scratch / ".git").mkdir(exist_ok=True)
    plan = scratch / "plan.md"
    plan.write_text(PLAN, encoding="utf-8")
    event = {
        "tool_name": "ExitPlanMode",
        "cwd": str(scratch),
        "tool_response": {"plan": PLAN, "filePath": str(plan), "isAgent": False},
    }
    said = json.dumps(event)
    assert _run(OURS, said, scratch)[1].startswith("{")
    ours, bare = interleave(
        [lambda: _run(OURS, said, scratch)[0], lambda: _run(BARE, said, scratch)[0]],
        rounds=rounds,
    )
    return [
        Row(
            figure="the hook after a plan's approval",
            unit="ms",
            ours=ours,
            yardstick=bare,
            aim=Aim("ours", 300),
        )
    ]


def _run(argv: tuple[str, ...], event: str, cwd: Path) -> tuple[float, str]:
    begun_at = time.perf_counter()
    done = subprocess.run(argv, input=event, cwd=cwd, capture_output=True, text=True, check=True)
    return (time.perf_counter() - begun_at) * 1000, done.stdout
