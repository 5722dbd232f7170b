"""(p) How much disk one dispatched task takes, until its clone is cleared away.

Kimi is a shell script here, so that its own sessions and caches are left out. The yardstick is what
`git worktree add` of the same commit takes, objects left out on both sides.
"""

import os
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path

from tests.bench.ground import OURS, SPEC_PATH, repository, settle
from tests.bench.pairing import interleave
from tests.bench.spawn import TREES, sign_giver
from tests.bench.table import Row
from tests.bench.wire import Wire, connected
from tests.sandbox import Sandbox

BLOCK = 512
MEGABYTE = 1_000_000


def rows(scratch: Path, *, rounds: int) -> list[Row]:
    """Measure what a dispatch of one task adds to the state folder, in megabytes."""
    return [_row(scratch / str(files), files=files, rounds=rounds) for files in TREES]


def _row(scratch: Path, *, files: int, rounds: int) -> Row:
    settle(scratch, kimi=sign_giver(scratch, started=scratch / "started"))
    project = repository(scratch / "project", files=files)
    trees = (scratch / f"tree-{number}" for number in count())
    with connected(OURS, cwd=project.root) as server:
        server.tools()
        ours, worktree = interleave(
            [
                partial(_dispatched, server, project, state=scratch / "state"),
                partial(_worktree, project, trees),
            ],
            rounds=rounds,
        )
    return Row(
        figure=f"p disk per task, {files} files / git worktree add",
        unit="MB",
        ours=ours,
        yardstick=worktree,
    )


def _dispatched(server: Wire, project: Sandbox, *, state: Path) -> float:
    with (project.root / SPEC_PATH).open("a", encoding="utf-8") as spec:
        spec.write("\n")  # the same text would have to be resumed
    before = _taken(state)
    server.call("dispatch_spec", spec="1")
    return _taken(state) - before


def _worktree(project: Sandbox, trees: Iterator[Path]) -> float:
    tree = next(trees)
    project.git("worktree", "add", "-q", "--detach", str(tree))
    return _taken(tree)


def _taken(folder: Path) -> float:
    """Say how much disk a folder takes, in megabytes."""
    return (
        sum(
            path.lstat().st_blocks * BLOCK
            for root, folders, files in os.walk(folder)
            for path in (Path(root, name) for name in (*folders, *files))
        )
        / MEGABYTE
    )
