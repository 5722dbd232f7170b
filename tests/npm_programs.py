"""Programs from npm that tests run: pinned, installed once for all runs of this checkout.

With the Node and npm of the `kimi` extra, like Kimi Code itself, and without any package's scripts.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from filelock import FileLock

from kimi_mcp.kimi.node import bundled_node

CACHE = Path(__file__).parents[1] / ".cache"
BOUND_S = 600.0


def installed(package: str, version: str) -> Path:
    """Install *package* unless it is there; return the folder with its `node_modules`."""
    target = CACHE / package.rpartition("/")[2] / version
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.parent / ".lock"):
        if not target.is_dir():
            _install(package, version, target)
    return target


def node() -> Path:
    """Return the Node of the `kimi` extra."""
    found = bundled_node()
    assert found is not None
    return found.node


def _install(package: str, version: str, target: Path) -> None:
    found = bundled_node()
    assert found is not None
    with tempfile.TemporaryDirectory(prefix=".fresh-", dir=target.parent) as scratch:
        fresh = Path(scratch, "whole")
        fresh.mkdir()
        argv = [found.node, "--use-system-ca", found.npm, "install", f"{package}@{version}"]
        argv += ["--prefix", fresh, "--cache", Path(scratch, "npm-cache"), "--ignore-scripts"]
        argv += ["--omit=dev", "--no-audit", "--no-fund", "--no-progress", "--loglevel=error"]
        done = subprocess.run(
            argv,
            cwd=fresh,
            capture_output=True,
            text=True,
            timeout=BOUND_S,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        shutil.move(fresh, target)
