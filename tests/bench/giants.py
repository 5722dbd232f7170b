"""(k) Repositories of 50,000 files and of 1 GB of history: the start of a task, and what it stores.

The start as for (c). What is stored: the objects in the clones and in our own git directory of all
dispatches, beside those of the repository itself; nothing of the base may be copied.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from tests.bench import spawn
from tests.bench.ground import repository
from tests.bench.table import Aim, Row
from tests.giants import with_files, with_history
from tests.sandbox import Sandbox

FILES = 50_000
HISTORY_BYTES = 10**9
MEGABYTE = 2**20


def rows(
    scratch: Path, *, rounds: int, files: int = FILES, history_bytes: int = HISTORY_BYTES
) -> list[Row]:
    """Measure milliseconds to Kimi's start, and megabytes of objects."""
    giants: Mapping[str, Callable[[Path], None]] = {
        f"{files:,} files": partial(with_files, count=files),
        f"{history_bytes / 10**6:,.0f} MB of history": partial(
            with_history, size_bytes=history_bytes
        ),
    }
    found: list[Row] = []
    for number, (name, enlarge) in enumerate(giants.items()):
        place = scratch / str(number)
        figure = f"k call to Kimi's start, {name} / git worktree add"
        found.append(spawn.row(place, figure, partial(_made, enlarge), rounds=rounds))
        copied = sum(map(_objects_mb, (place / "state/runs").rglob("objects")))
        found.append(
            Row(
                figure=f"k objects stored by it, {name} / in the repository",
                unit="MB",
                ours=[copied],
                yardstick=[_objects_mb(place / "project/.git/objects")],
                aim=Aim("ours", 1),
            )
        )
    return found


def _made(enlarge: Callable[[Path], None], root: Path) -> Sandbox:
    made = repository(root)
    enlarge(made.root)
    return made


def _objects_mb(objects: Path) -> float:
    return sum(file.stat().st_size for file in objects.rglob("*") if file.is_file()) / MEGABYTE
