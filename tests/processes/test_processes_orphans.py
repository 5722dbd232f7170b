"""Ends that can only be seen from outside: of the runner, and of the launcher below a runner."""

import subprocess
from pathlib import Path

import pytest

from living import IMPORTABLE, PYTHON, is_alive, pid_in, until_gone

RUNNER = """
import os, sys
from pathlib import Path
import anyio
from kimi_mcp.processes.child import start
from kimi_mcp.processes.orphans import adopt_orphans

async def run():
    argv = ["sh", "-c", sys.argv[1]]
    env = {"PATH": os.environ["PATH"]}
    async with start(argv, cwd=Path.cwd(), env=env, grace_s=60, confinement=None) as child:
        Path("launcher").write_text(f"{child.launcher.pid}\\n")
        print("ready", flush=True)
        async with anyio.create_task_group() as group:
            if "stop" in sys.argv:
                while not Path("main").exists():
                    await anyio.sleep(0.01)
                group.start_soon(child.stop)
            print(await child.wait(), flush=True)
        print("waited", flush=True)
        sys.stdin.read()

adopt_orphans()
anyio.run(run)
"""

FAMILY = """
sleep 2001 & echo $! > plain
setsid sleep 2002 & echo $! > own-group
env -i setsid sh -c '(sleep 2003 & echo $! > daemon; wait) &'
"""
NAMES = ("plain", "own-group", "daemon")


def begin(text: str, cwd: Path, *further: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [PYTHON, "-c", RUNNER, text, *further],
        cwd=cwd,
        env=IMPORTABLE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def said(runner: subprocess.Popen[str]) -> str:
    assert runner.stdout is not None
    return runner.stdout.readline().strip()


@pytest.mark.parametrize("last", ["exec sleep 2004", "trap '' TERM; exec sleep 2004"])
async def test_a_killed_runner_leaves_nothing_within_ten_seconds(tmp_path: Path, last: str):
    with begin(f"{FAMILY} echo $$ > main; {last}", tmp_path) as runner:
        assert said(runner) == "ready"
        names = (*NAMES, "main", "launcher")
        pids = [await pid_in(tmp_path / name) for name in names]
        assert all(is_alive(pid) for pid in pids)
        runner.kill()
        await until_gone(*pids, within_s=10)


async def test_a_runner_killed_during_a_long_farewell_leaves_nothing_either(tmp_path: Path):
    text = """
    trap 'echo $$ > asked; trap "" TERM' TERM
    echo $$ > main
    while :; do sleep 0.01; done
    """
    with begin(text, tmp_path, "stop") as runner:
        pids = [await pid_in(tmp_path / name) for name in ("main", "asked", "launcher")]
        runner.kill()
        await until_gone(*pids, within_s=10)


async def test_a_killed_launcher_is_noticed_and_its_processes_are_ended(tmp_path: Path):
    wait_for_them = "until [ -s daemon ] && [ -s launcher ]; do sleep 0.01; done\n"
    text = f"{FAMILY} echo $$ > main; {wait_for_them} kill -9 $PPID; exec sleep 2005"
    with begin(text, tmp_path) as runner:
        assert said(runner) == "ready"
        assert "code=None, signal=None" in said(runner)
        assert said(runner) == "waited"
        pids = [await pid_in(tmp_path / name) for name in (*NAMES, "main")]
        assert not any(is_alive(pid) for pid in pids)


HEIR = """
import subprocess, sys
from kimi_mcp.processes.orphans import adopt_orphans, end_orphans

adopt_orphans()
launcher = subprocess.Popen(["sh", "-c", sys.argv[1]], stdout=subprocess.PIPE, text=True)
print(launcher.stdout.readline().strip(), flush=True)
end_orphans(launcher.pid)
print("ended", flush=True)
"""


def test_what_a_dying_launcher_still_has_is_waited_for() -> None:
    text = "setsid sleep 2006 > /dev/null & echo $!; sleep 0.3; kill -9 $$"
    with subprocess.Popen(
        [PYTHON, "-c", HEIR, text], env=IMPORTABLE, stdout=subprocess.PIPE, text=True
    ) as heir:
        orphan = int(said(heir))
        assert is_alive(orphan)
        assert said(heir) == "ended"
        assert not is_alive(orphan)
