"""Large files: what git keeps as pointers and `git lfs` stores beside the objects.

Where the user has set git-lfs up, our ledger and the clones get its filter, in words of ours: the
user's own command line is never run. Nothing is downloaded: what the user's store lacks stays a
pointer in the clone. What a task adds is stored in the ledger, and copied into the user's store
before a ref names it. Facts of git-lfs 3.3: it reads the stores beside borrowed objects, though not
for excluded paths, hence an address where nobody can listen; of Kimi's `.lfsconfig` it takes only
keys that run nothing, and ours win.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

_FILTER = """\
[filter "lfs"]
	clean = git-lfs clean -- %f
	smudge = git-lfs smudge -- %f
	process = git-lfs filter-process
	required = true
[lfs]
	url = http://127.0.0.1:0/
	skipdownloaderrors = true
	locksverify = false
[lfs "transfer"]
	maxretries = 1
"""


def filter_settings(users: Mapping[str, str]) -> str:
    """Return git's settings for large files; empty where the user does not use git-lfs."""
    is_used = any(key.startswith("filter.lfs.") for key in users)
    return _FILTER if is_used and shutil.which("git-lfs") else ""


def take_in(git_dir: Path, *, into: Path) -> None:
    """Copy the large files stored beside one git directory into the store of another."""
    for file in _stored(git_dir / "lfs/objects"):
        target = into / "lfs/objects" / file.relative_to(git_dir / "lfs/objects")
        if target.exists():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as half_made:
            with file.open("rb") as source:
                shutil.copyfileobj(source, half_made)
            half_made.flush()
            os.fsync(half_made.fileno())
        Path(half_made.name).rename(target)


def _stored(folder: Path) -> Iterator[Path]:
    return (path for path in folder.glob("??/??/*") if path.is_file())
