"""A Python of a world's own: it loads the saboteur first, and may have a copy of our package.

A folder laid out as `venv` lays it, without pip: everything but the saboteur comes from the Python
that runs the tests. Our programs start each other by `sys.executable`, so one is enough.
"""

import json
import shutil
import site
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import kimi_mcp

PACKAGE = Path(kimi_mcp.__file__).parent
SABOTEUR = Path(__file__).with_name("saboteur.py")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sabotage:
    """What strikes once: see `saboteur.py`."""

    role: str
    moment: int
    deed: str
    world: str
    struck: str
    go: str


class ScratchPython:
    """The Python of one world."""

    def __init__(self, root: Path, *, has_own_package: bool) -> None:
        self._library = root / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
        self._library.mkdir(parents=True)
        self.executable = root / "bin" / "python"
        self.executable.parent.mkdir()
        base = Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}").resolve()
        self.executable.symlink_to(base)
        (root / "pyvenv.cfg").write_text(f"home = {base.parent}\n", encoding="utf-8")
        lines = [f"import site; site.addsitedir({folder!r})" for folder in site.getsitepackages()]
        if has_own_package:
            self.copy_package()
        else:
            lines.insert(0, str(PACKAGE.parent))
        (self._library / "world.pth").write_text("\n".join([*lines, ""]), encoding="utf-8")
        shutil.copy(SABOTEUR, self._library)
        (self._library / "a_saboteur.pth").write_text("import saboteur\n", encoding="utf-8")

    @property
    def package(self) -> Path:
        """Where this Python's own copy of our package lies."""
        return self._library / "kimi_mcp"

    def copy_package(self) -> None:
        """Give this Python a copy of our package of its own."""
        without = shutil.ignore_patterns("__pycache__")
        shutil.copytree(PACKAGE, self.package, ignore=without)

    def sabotage(self, wish: Sabotage) -> None:
        """Let it strike in the processes that start from now on."""
        (self._library / "fault.json").write_text(json.dumps(asdict(wish)), encoding="utf-8")

    def leave_alone(self) -> None:
        """Let nothing strike in the processes that start from now on."""
        (self._library / "fault.json").unlink(missing_ok=True)

    def shift_clock(self, seconds: float) -> None:
        """Set the clock of all processes of this Python, those that run included."""
        fresh = self._library / "shift.new"
        fresh.write_text(str(seconds), encoding="ascii")
        fresh.replace(self._library / "shift")
