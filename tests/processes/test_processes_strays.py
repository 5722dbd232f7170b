"""What a killed runner and launcher leave behind is found by its environment, and nothing else."""

import subprocess
from pathlib import Path

from kimi_mcp.processes.strays import end_strays
from living import ENV, is_alive


def sleeper(cwd: Path, text: str, **env: str) -> subprocess.Popen[str]:
    """Start a shell command in a session of its own that says a line when it is ready."""
    started = subprocess.Popen(
        ["setsid", "sh", "-c", text],
        cwd=cwd,
        env={**ENV, **env},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None
    started.stdout.readline()
    return started


def test_what_works_for_a_dispatch_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    run, other = tmp_path / "runs/001-work-7k3f", tmp_path / "runs/001-work-7k3fx"
    for folder in (run, other):
        folder.mkdir(parents=True)
    child = "env -i sh -c 'echo $$ > child; exec sleep 3001' & "
    until_written = "while ! [ -s child ]; do :; done; echo ready; wait"
    with (
        sleeper(tmp_path, child + until_written, TMPDIR=f"{run}/task-1/tmp") as theirs,
        sleeper(run, "echo ready; exec sleep 3002") as persons,
        sleeper(tmp_path, "echo ready; exec sleep 3003", TMPDIR=f"{other}/tmp") as others,
    ):
        pid = int((tmp_path / "child").read_text(encoding="ascii"))

        end_strays(run)
        # a person who looks around there, and another dispatch whose name begins alike
        living = [is_alive(one.pid) for one in (persons, others)]
        gone = [is_alive(one) for one in (theirs.pid, pid)]
        for one in (persons, others):
            one.kill()

        assert gone == [False, False]
        assert living == [True, True]
