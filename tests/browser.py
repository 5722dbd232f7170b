"""A real browser without a window: what it makes of a page, and what it complains of."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from patience import PATIENCE_S

NAMES = "chromium", "chromium-browser", "google-chrome"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A page as a browser shows it."""

    dom: str
    complaints: tuple[str, ...]


def seen(page: Path, *, folder: Path) -> Seen:
    """Open *page*, and return its tree after everything has run that may run."""
    done = _run(["--dump-dom", page.as_uri()], folder=folder)
    return Seen(dom=done.stdout, complaints=tuple(re.findall(r"CONSOLE.*", done.stderr)))


def photographed(page: Path, image: Path, *, folder: Path) -> None:
    """Write a picture of *page*."""
    _run([f"--screenshot={image}", "--window-size=1000,1400", page.as_uri()], folder=folder)


def _run(words: list[str], *, folder: Path) -> subprocess.CompletedProcess[str]:
    program = next(filter(None, map(shutil.which, NAMES)), None)
    assert program is not None, "The tests need chromium: apt-get install chromium"
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    options += ["--enable-logging=stderr", f"--user-data-dir={folder}"]
    return subprocess.run(
        [program, *options, *words],
        env={**os.environ, "HOME": str(folder)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
