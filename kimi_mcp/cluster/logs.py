"""What Kimi and its checks printed on a node: kept there when an attempt is over, for who asks."""

import stat
import tarfile
from pathlib import Path

from kimi_mcp import private
from kimi_mcp.state import StateFolder

MOST_KEPT = 200  # attempts; the newest
_PRINTED = "run/task-*/attempt-*/*"


def keep(state: StateFolder, name: str, attempt: Path) -> None:
    """Keep what an *attempt*'s programs printed, as `name`."""
    folder = _folder(state)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (
        open(folder / f"{name}.tar.gz", "wb", opener=private.opener) as file,
        tarfile.open(fileobj=file, mode="w:gz") as packed,
    ):
        for printed in sorted(attempt.glob(_PRINTED)):
            if stat.S_ISREG(printed.lstat().st_mode):
                packed.add(printed, str(Path(*printed.relative_to(attempt).parts[1:])))
    for old in sorted(folder.iterdir(), key=lambda one: one.stat().st_mtime)[:-MOST_KEPT]:
        old.unlink(missing_ok=True)


def kept(name: str) -> bytes | None:
    """Return what was kept of an attempt on this machine: a `.tar.gz`; nothing if there is none."""
    file = _folder(StateFolder.locate()) / f"{name}.tar.gz"
    return file.read_bytes() if file.is_file() else None


def _folder(state: StateFolder) -> Path:
    return state.root / "cluster/logs"
