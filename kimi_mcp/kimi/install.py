"""A private Kimi Code, installed with the Node and npm of the `kimi` extra.

For the demo, the tests, and people without a Kimi of their own. One folder a version, put in place
by a rename: a folder that is there is whole. Nothing lands in the user's home, not even a cache,
and no script of a package is run. The surprising fact: the optional dependencies are left out. They
serve Kimi's screen (clipboard, terminal) and are half of the size.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from kimi_mcp.errors import Unready
from kimi_mcp.kimi.node import BundledNode, bundled_node

PACKAGE = "@moonshot-ai/kimi-code"
VERSION = "2.1.0"

_LIMIT_S = 900.0
_QUOTED_LINES = 10
_FRESH = ".fresh-"


def main_script(target: Path, *, version: str) -> Path:
    """Say where the program of *version* lies when it is installed under *target*."""
    return target / version / "node_modules" / PACKAGE / "dist" / "main.mjs"


def install_kimi_code(target: Path, *, version: str = VERSION, say: Callable[[str], None]) -> Path:
    """Install Kimi Code as `target/<version>` unless it is there, and give its program.

    Of several processes at once one installs and the others wait for it. *say* gets one line when
    there is something to wait for.

    Raises:
        Unready: the `kimi` extra is missing, or npm failed; its last lines are quoted.
    """
    main = main_script(target, version=version)
    if main.is_file():
        return main
    target.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(target / ".lock"):
        if not main.is_file():
            node = _required_node()
            say(f"Installing Kimi Code {version} into {target / version} …")
            _install(target, version=version, node=node)
    return main


def _required_node() -> BundledNode:
    node = bundled_node()
    if node is None:
        raise Unready(
            "Installing Kimi Code needs the Node and npm of the `kimi` extra, which is missing. "
            "Run: pip install 'kimi-mcp[kimi]'"
        )
    return node


def _install(target: Path, *, version: str, node: BundledNode) -> None:
    for leftover in target.glob(f"{_FRESH}*"):  # of a process that was killed; we hold the lock
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_FRESH, dir=target) as folder:
        fresh = Path(folder)
        made = fresh / version
        made.mkdir()
        _run_npm(node, prefix=made, cache=fresh / "npm-cache", version=version)
        if not main_script(fresh, version=version).is_file():
            raise Unready(f"{PACKAGE}@{version} has no dist/main.mjs. Try another version.")
        whole = target / version
        if whole.exists():  # without its program: what somebody left of it
            whole.rename(fresh / "incomplete")
        made.rename(whole)


def _run_npm(node: BundledNode, *, prefix: Path, cache: Path, version: str) -> None:
    # the machine's own certificates, as pip uses them: behind a company's proxy npm fails otherwise
    argv = [node.node, "--use-system-ca", node.npm, "install", f"{PACKAGE}@{version}"]
    argv += ["--prefix", prefix, "--cache", cache, "--ignore-scripts", "--save-exact"]
    argv += ["--omit=dev", "--omit=optional", "--no-audit", "--no-fund"]
    argv += ["--no-update-notifier", "--no-progress", "--loglevel=error", "--logs-max=0"]
    failure = f"npm could not install {PACKAGE}@{version}"
    try:
        ended = subprocess.run(
            argv,
            cwd=prefix,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Unready(f"{failure} within {_LIMIT_S:.0f} s. Check the network.") from error
    except OSError as error:
        raise Unready(f"{failure}: {error}. Run: pip install 'kimi-mcp[kimi]'") from error
    if ended.returncode:
        lines = ended.stdout.decode(errors="replace").strip().splitlines()[-_QUOTED_LINES:]
        raise Unready(
            "\n".join([f"{failure}. Check the network and npm's configuration. It said:", *lines])
        )
