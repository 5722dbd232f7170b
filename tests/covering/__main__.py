"""`python -m tests.covering`: how much of the product do the tests run, all processes counted?

Runs the tests room by room (`python -m tests.covering spec kimi` only these) and reports over the
newest counts of every room. Fails when tests do, when a module that says that it is pure is not
run whole, or when less than 92 % of all statements and branches are.
"""

import argparse
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from tests.covering.counting import counted
from tests.covering.report import joined, modules, table
from tests.covering.standards import faults

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests"
COUNTS = ROOT / ".cache" / "covering"  # kept: a room's counts hold until it is run again
TOP = "top"  # the tests that are in no room
ROOMS = (*sorted({file.parent.name for file in TESTS.glob("*/test_*.py")}), TOP)


def main() -> int:
    """Count the rooms asked for, then report over all that were ever counted."""
    parser = argparse.ArgumentParser(prog="python -m tests.covering")
    parser.add_argument("rooms", nargs="*", choices=[*ROOMS, []], metavar="ROOM")
    parser.add_argument("--report", action="store_true", help="run nothing, report only")
    parser.add_argument(
        "--jobs",
        default="0",
        help="as pytest's -n; a worker that takes more than 10 s to end is killed with its counts",
    )
    parser.add_argument("--worst", type=int, default=25, help="modules to list")
    wanted = parser.parse_args()
    COUNTS.mkdir(parents=True, exist_ok=True)
    asked: list[str] = wanted.rooms or [*ROOMS]
    rooms = [] if wanted.report else asked
    failed = [room for room in rooms if not _count(room, jobs=wanted.jobs)]
    if not [*COUNTS.glob("*.counts")]:
        sys.exit("Nothing has been counted yet: run it without --report.")
    joined(COUNTS.glob("*.counts"), COUNTS / "all")
    found = modules(COUNTS / "all", ROOT)
    sources = {name: (ROOT / name).read_text(encoding="utf-8") for name in found}
    wrong = [f"Tests failed: {room}" for room in failed] + faults(found, sources)
    sys.stdout.write("\n".join([table(found, worst=wanted.worst), "", *wrong, ""]))
    return 1 if wrong else 0


def _count(room: str, *, jobs: str) -> bool:
    tests = sorted(TESTS.glob("test_*.py")) if room == TOP else [TESTS / room]
    folder = COUNTS / room
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with counted(folder / "part", site=Path(sysconfig.get_path("purelib"))):
        order = [sys.executable, "-m", "pytest", "-q", "-n", jobs, *map(str, tests)]
        done = subprocess.run(order, cwd=ROOT, check=False)
    joined(folder.iterdir(), COUNTS / f"{room}.counts")
    shutil.rmtree(folder)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
