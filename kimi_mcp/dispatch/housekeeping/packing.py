"""Raw output, compressed once its dispatch is over. `zcat` and every pager read it as before.

What is already small stays as it is. A file is replaced only when its compressed self is complete,
so whatever happens one of the two is there.
"""

import gzip
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from kimi_mcp import private
from kimi_mcp.state import RunFolder

WORTH_BYTES = 4096  # a block: less takes as much of the disk as its compressed self
_LEVEL = 6
_PLACES = ("task-*/attempt-*", "task-*", "task-*/base")
_NAMES = ("*.txt", "*.jsonl")


def pack(folder: RunFolder) -> None:
    """Compress what Kimi, setup and checks have printed; only for who keeps runners away."""
    for raw in _raw(folder.root):
        packed = raw.with_name(f"{raw.name}.gz")
        draft = raw.with_name(f"{raw.name}.gz.part")
        draft.unlink(missing_ok=True)
        with (
            os.fdopen(os.open(raw, os.O_RDONLY | os.O_NOFOLLOW), "rb") as source,
            open(draft, "xb", opener=private.opener) as target,
            gzip.GzipFile(raw.name, "wb", _LEVEL, target) as packer,
        ):
            shutil.copyfileobj(source, packer)
        draft.replace(packed)
        raw.unlink()


def _raw(root: Path) -> Iterator[Path]:
    for place in _PLACES:
        for name in _NAMES:
            for file in root.glob(f"{place}/{name}"):
                about = file.lstat()
                if stat.S_ISREG(about.st_mode) and about.st_size > WORTH_BYTES:
                    yield file
