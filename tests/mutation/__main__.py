"""`python -m tests.mutation`: would the tests notice if what decides were changed?

Each small change to the outcome classifier, the scheduler, the verdict and the transition table is
tried against that module's tests. What no test notices is listed; a change that makes no difference
is explained in `explained.py`. Fails when any other is left, or more than a tenth in all.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.mutation.explained import EXPLAINED
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.trial import begin, is_noticed

ROOT = Path(__file__).resolve().parents[2]
#: Each module that decides, and the tests that say what it must decide.
MODULES: Mapping[str, tuple[str, ...]] = {
    "kimi.outcome": (
        "tests/kimi/test_kimi_outcome.py",
        "tests/kimi/test_kimi_outcome_words.py",
    ),
    "kimi.failure": ("tests/kimi/test_kimi_outcome.py",),
    "dispatch.running.schedule": ("tests/dispatch/test_dispatch_schedule.py",),
    "dispatch.running.verdict": (
        "tests/dispatch/test_dispatch_verdict.py",
        "tests/dispatch/test_dispatch_verdict_words.py",
    ),
    "lifecycle": (
        "tests/test_lifecycle.py",
        "tests/history/test_history_store.py",
        "tests/test_readme.py::test_every_way_to_fail_stands_in_the_readme_in_the_programs_own_words",
    ),
}
MOST_SURVIVORS = 0.1
LOADED_FIRST = ("pytest", "hypothesis", "inline_snapshot", "pydantic", "anyio", "git", "psutil")


def main() -> int:
    """Try every mutant of the modules asked for, some at a time."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("--only", nargs="*", choices=MODULES, metavar="MODULE")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    wanted = parser.parse_args()
    os.chdir(ROOT)
    for name in LOADED_FIRST:
        importlib.import_module(name)
    is_good = True
    for module in wanted.only or MODULES:
        source = _source(module).read_text(encoding="utf-8")
        made = [*mutants(source)]
        as_it_is = Mutant(name="as it is", line=0, source=source)
        if not _survivors(module, [as_it_is], jobs=1):
            sys.exit(f"The tests of {module} fail without any change: {' '.join(MODULES[module])}")
        left = _survivors(module, made, jobs=wanted.jobs)
        is_good &= _told(module, made, left)
    return 0 if is_good else 1


def _source(module: str) -> Path:
    return ROOT / "kimi_mcp" / f"{module.replace('.', '/')}.py"


def _survivors(module: str, made: Iterable[Mutant], *, jobs: int) -> list[Mutant]:
    running: dict[int, Mutant] = {}
    left: list[Mutant] = []

    def collect() -> None:
        child, status = os.wait()
        mutant = running.pop(child)
        if not is_noticed(status):
            left.append(mutant)

    for mutant in made:
        if len(running) >= jobs:
            collect()
        child = begin(f"kimi_mcp.{module}", mutant.source, _source(module), MODULES[module])
        running[child] = mutant
    while running:
        collect()
    return left


def _told(module: str, made: list[Mutant], left: list[Mutant]) -> bool:
    known = EXPLAINED.get(module, {})
    open_ones = [mutant for mutant in left if mutant.name not in known]
    sys.stdout.write(
        f"{module}: {len(made)} mutants, {len(left)} survived, "
        f"{len(left) - len(open_ones)} of them explained\n"
    )
    for mutant in sorted(open_ones, key=lambda one: one.line):
        sys.stdout.write(f"  line {mutant.line}: {mutant.name}\n")
    sys.stdout.flush()
    return not open_ones and len(left) <= MOST_SURVIVORS * len(made)


if __name__ == "__main__":
    sys.exit(main())
