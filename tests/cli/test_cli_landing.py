"""`kimi-mcp land` and `kimi-mcp clean`, as a person or a script calls them."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import anyio

from dispatching import branches, pinned
from harvest import Work, harvested
from living import until
from sandbox import Sandbox

Run = Callable[..., subprocess.CompletedProcess[str]]

ONE = Work(files={"one.py": "1\n"})


def test_work_is_landed_by_hand(kimi_mcp: Run, sandbox: Sandbox) -> None:
    harvest = harvested(sandbox, ONE)

    refused = kimi_mcp("land", harvest.id, "squash", "--head", "abcdef1")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "abcdef1 was reviewed" in refused.stderr
    done = kimi_mcp("land", harvest.id, "squash", "--head", str(harvest.merged)[:7])

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{harvest.id}: landed on main as ")
    assert sandbox.show("main", "one.py") == "1"
    assert [*branches(sandbox), *pinned(sandbox)] == []


def test_cleaning_tells_what_there_is_and_what_it_takes(kimi_mcp: Run, sandbox: Sandbox) -> None:
    harvest = harvested(sandbox, ONE)
    sandbox.git("merge", "-q", "--no-edit", harvest.branch())
    left = harvested(sandbox, Work(files={"two.py": "2\n"}), token="aaaa")

    told = kimi_mcp("clean", "--dry-run")
    values = json.loads(kimi_mcp("clean", "--dry-run", "--json").stdout)
    done = kimi_mcp("clean")

    assert (told.returncode, told.stderr, done.returncode, done.stderr) == (0, "", 0, "")
    assert "Would remove 3 refs and 1 folder of clones" in told.stdout
    assert f"kept     unique work refs/heads/{left.branch()}" in told.stdout
    assert told.stdout.endswith(
        "Unique work is in no branch of yours: `kimi-mcp land ID apply` brings it in for you "
        "to commit, `kimi-mcp land ID discard` throws it away.\n"
        "Clones go with the landing, else after the days of keep.clones_days.\n"
    )
    assert {piece["is_removed"] for piece in values if piece["dispatch"] == harvest.id} == {True}
    assert all(piece["size_bytes"] for piece in values if piece["kind"] == "clones")
    assert f"removed  landed      refs/heads/{harvest.branch()}" in done.stdout
    assert branches(sandbox) == [left.branch(), left.branch(1)]


def test_where_nothing_is_left_cleaning_says_only_that(kimi_mcp: Run) -> None:
    assert kimi_mcp("clean").stdout == "Earlier dispatches have left nothing.\n"


def test_a_landing_that_was_killed_is_undone_by_the_next(
    kimi_mcp: Run, sandbox: Sandbox, tmp_path: Path
) -> None:
    work = Work(files={"app.py": "changed = 1\n", "deep/new.py": "new\n", "README.md": None})
    harvest = harvested(sandbox, work)
    trap = sandbox.write(".git/hooks/pre-commit", f"#!/bin/sh\necho > {tmp_path}/here\nsleep 60\n")
    trap.chmod(0o755)
    before = sandbox.git("ls-files", "-s"), sandbox.git("rev-parse", "main")
    landing = subprocess.Popen(
        [sys.executable, "-m", "kimi_mcp", "land", harvest.id, "squash"], cwd=sandbox.root
    )
    anyio.run(until, (tmp_path / "here").exists)
    landing.kill()
    landing.wait()
    assert (sandbox.root / "deep/new.py").exists()
    trap.unlink()
    mine = sandbox.write("README.md", "# Mine, written after it\n")

    refused = kimi_mcp("land", harvest.id, "apply")

    assert refused.returncode == 2
    assert "README.md" in refused.stderr
    assert mine.read_text(encoding="utf-8") == "# Mine, written after it\n"
    assert not (sandbox.root / "deep").exists()
    assert sandbox.git("status", "--porcelain") == "M README.md"
    assert (sandbox.git("ls-files", "-s"), sandbox.git("rev-parse", "main")) == before
    sandbox.git("checkout", "-q", "README.md")
    assert kimi_mcp("land", harvest.id, "squash").returncode == 0
    assert sandbox.show("main", "deep/new.py") == "new"
    assert [path.name for path in (sandbox.root / ".git").glob("kimi-mcp*")] == []
