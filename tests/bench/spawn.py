"""(c) How long it takes from `tools/call` until Kimi's process runs, on a small and a large tree.

Kimi is a shell script here that leaves a file when it starts; the file's time is the earliest sign
there is. The yardstick is `git worktree add` of the same repository, the other way to give Kimi a
folder of its own. Neither side's folder is removed between the rounds: on a disk that discards
freed blocks, whoever writes after a removal is several times as slow.
"""

import json
import os
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path

from tests.bench.ground import OURS, SPEC_PATH, repository, settle
from tests.bench.pairing import interleave, milliseconds
from tests.bench.table import Aim, Row
from tests.bench.wire import Wire, connected
from tests.sandbox import Sandbox

TREES = (500, 6000)  # files


def rows(scratch: Path, *, rounds: int) -> list[Row]:
    """Measure `tools/call` to the start of Kimi's process, in milliseconds."""
    return [
        row(
            scratch / str(files),
            f"c call to Kimi's start, {files} files / git worktree add",
            partial(repository, files=files),
            rounds=rounds,
        )
        for files in TREES
    ]


def row(scratch: Path, figure: str, make: Callable[[Path], Sandbox], *, rounds: int) -> Row:
    """Measure one repository, which *make* makes in a folder."""
    started = scratch / "noticeboard/started"
    started.parent.mkdir(parents=True)
    settle(scratch, kimi=sign_giver(scratch, started=started))
    os.environ["KIMI_MCP_ALLOW_WRITE"] = json.dumps([str(started.parent)])
    project = make(scratch / "project")
    trees = (scratch / f"tree-{number}" for number in count())

    def add_worktree() -> float:
        tree = str(next(trees))
        return milliseconds(partial(project.git, "worktree", "add", "-q", "--detach", tree))

    with connected(OURS, cwd=project.root) as server:
        server.tools()
        ours, worktree = interleave(
            [
                partial(_until_started, server, project.root, started=started),
                add_worktree,
            ],
            rounds=rounds,
        )
    del os.environ["KIMI_MCP_ALLOW_WRITE"]
    return Row(
        figure=figure,
        unit="ms",
        ours=ours,
        yardstick=worktree,
        aim=Aim("difference", 200),
    )


def _until_started(server: Wire, root: Path, *, started: Path) -> float:
    # this Kimi does nothing, which counts as interrupted: the same text would have to be resumed
    with (root / SPEC_PATH).open("a", encoding="utf-8") as spec:
        spec.write("\n")
    begun_at_ns = time.time_ns()
    server.call("dispatch_spec", spec="1")
    took_ms = (started.stat().st_mtime_ns - begun_at_ns) / 1e6
    started.unlink()
    return took_ms


def sign_giver(scratch: Path, *, started: Path) -> Path:
    """Make a Kimi that does nothing but leave the file *started* when it starts."""
    scratch.mkdir(parents=True, exist_ok=True)
    program = scratch / "kimi"
    program.write_text(
        f'#!/bin/sh\ncase "$1" in --version) echo 2.1.0 ;; *) : > "{started}" ;; esac\n',
        encoding="utf-8",
    )
    program.chmod(0o755)
    return program
