"""A runner reads what a mad program writes, and stays small."""

import json
import os
import subprocess
import sys
from pathlib import Path

LIMIT_MB = 60
FLOOD = """
head -c 200000000 /dev/zero | tr '\\0' e >&2
head -c 50000000 /dev/zero | tr '\\0' o
echo
echo '{"role": "assistant", "content": "Done."}'
echo '{"role": "meta", "type": "session.resume_hint", "session_id": "s"}'
"""
RUNNER = """
import os, sys
from pathlib import Path
import anyio
import kimi_mcp.dispatch.running.runner
from kimi_mcp.kimi.code import DIALECT
from kimi_mcp.kimi.run import RunOrder, run
from kimi_mcp.kimi.watch import Bounds

async def main():
    root = Path(sys.argv[1])
    bounds = Bounds(time_s=100, silence_s=100, tool_s=100, retries=9, steps=0)
    order = RunOrder(
        dialect=DIALECT, argv=["sh", "-c", sys.argv[2]], env=dict(os.environ), clone=root,
        home=root, raw=root, bounds=bounds, grace_s=1, confinement=None,
    )
    async def observe(seen): pass
    async def fenced(standing): pass
    never = anyio.Event()
    facts = await run(order, observe=observe, fenced=fenced, cancelled=never, paused=never)
    # not ru_maxrss: it counts the process that started this one
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    peak_kb = int(status.split("VmHWM:")[1].split()[0])
    print(facts.is_answer_complete, facts.closing_words, peak_kb // 1024)

anyio.run(main)
"""


def test_floods_on_both_streams_leave_the_runner_small_and_lose_no_answer(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, tmp_path, FLOOD],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
        text=True,
    )

    is_complete, words, peak_mb = done.stdout.split()
    assert (is_complete, words) == ("True", "Done.")
    assert int(peak_mb) < LIMIT_MB
    print(json.dumps({"peak_mb": int(peak_mb)}))  # noqa: T201 - the figure, with -rP
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 101_000_000
