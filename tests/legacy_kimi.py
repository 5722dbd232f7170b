"""The real legacy kimi-cli, where a Python can be found that runs it.

kimi-cli 1.51 needs Python 3.13 or newer (an early 3.12 starts it and dies), which the project
itself does not. It is looked for under the usual names and among pyenv's; the program is installed
once for all runs of this checkout.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock

VERSION = "1.51.0"
OLDEST_PYTHON = (3, 13)

_CACHE = Path(__file__).parents[1] / ".cache" / "kimi-cli"


def installed() -> Path | None:
    """Give the program, installing it when there is a Python for it; else nothing."""
    folder = _CACHE / VERSION
    program, is_whole = folder / "bin" / "kimi", folder / "whole"
    if is_whole.exists():
        return program
    python = next((found for found in _pythons() if _is_new_enough(found)), None)
    if python is None:
        return None
    _CACHE.mkdir(parents=True, exist_ok=True)
    with FileLock(_CACHE / ".lock"):
        if not is_whole.exists():
            _install(python, folder)
            is_whole.touch()
    return program


def _pythons() -> Iterator[Path]:
    for name in ("python3.13", "python3.14", "python3"):
        if found := shutil.which(name):
            yield Path(found)
    roots = [os.environ.get("PYENV_ROOT"), "~/.pyenv", "/opt/pyenv"]
    for root in filter(None, roots):
        yield from sorted(Path(root).expanduser().glob("versions/3.1[3-9]*/bin/python3"))


def _is_new_enough(python: Path) -> bool:
    asked = subprocess.run(
        [python, "-c", "import sys, venv, ensurepip; print(*sys.version_info[:2])"],
        capture_output=True,
        text=True,
        check=False,
    )
    numbers = re.fullmatch(r"(\d+) (\d+)", asked.stdout.strip())
    return numbers is not None and (int(numbers[1]), int(numbers[2])) >= OLDEST_PYTHON


def _install(python: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run([python, "-m", "venv", target], check=True, capture_output=True)
    pip = [target / "bin" / "python", "-m", "pip", "install", "-q", f"kimi-cli=={VERSION}"]
    subprocess.run(pip, check=True, capture_output=True)


if __name__ == "__main__":
    installed()
