"""One mutant, tried in a process of its own: do the tests of its module notice?

The process is forked from one that has loaded what every test loads, so that a trial costs little
more than its tests. The product's own modules are loaded anew in each.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

#: Of processor time: a mutant that runs for ever is noticed, and a busy machine is not taken for
#: one. What waits for ever is ended by the tests' own limit.
LONGEST_S = 60
_NOT_NOTICED = 0


class _Planted(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Loads one module from another text."""

    def __init__(self, module: str, source: str, origin: Path) -> None:
        self._module = module
        self._code = compile(source, str(origin), "exec")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Take the module for ours."""
        del path, target
        is_meant = fullname == self._module
        return importlib.util.spec_from_loader(fullname, self) if is_meant else None

    def exec_module(self, module: ModuleType) -> None:
        """Run the planted text."""
        exec(self._code, module.__dict__)


def begin(module: str, source: str, origin: Path, tests: Sequence[str]) -> int:
    """Begin a trial in a child; return its process."""
    child = os.fork()
    if child:
        return child
    signal.setitimer(signal.ITIMER_PROF, LONGEST_S)  # its default ends the process
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    sys.meta_path.insert(0, _Planted(module, source, origin))
    code = 1
    try:
        import pytest  # noqa: PLC0415  it is loaded already

        options = ["-x", "-q", "-n0", "-p", "no:cacheprovider"]
        options += ["-W", "ignore:Module already imported"]  # as was meant
        # the same examples each time, and no test fails by the clock
        options += ["--hypothesis-profile", "ci"]
        code = int(pytest.main([*options, *tests]))
    finally:
        os._exit(code)


def is_noticed(status: int) -> bool:
    """Tell by how a trial's process ended whether any test failed."""
    return os.waitstatus_to_exitcode(status) != _NOT_NOTICED
