"""The house rules that no linter knows; imports are judged by import-linter."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from git import Repo

import kimi_mcp

ROOT = Path(__file__).parents[1]
PRODUCT = ROOT / "kimi_mcp"
LONGEST_MODULE = 300

# Where a test may sleep: waiting for another process, which can only be asked again and again.
POLLS = {
    "tests/living.py": "answered(): the state of another process",
    "tests/campaign/cluster_faults.py": "how long a cable is cut is the fault",
    "tests/bench/steady.py": "nothing may happen while idle time is measured",
    "tests/bench/memory.py": "a server that has been left alone for a while is what is measured",
}


def test_the_top_level_holds_what_was_agreed_and_dot_files() -> None:
    kept = Repo(ROOT).git.ls_files().splitlines()

    assert {path.split("/", 1)[0] for path in kept if not path.startswith(".")} <= {
        *("README.md", "pyproject.toml", "kimi_mcp", "specs", "tests"),
    }


def test_no_module_is_longer_than_a_reader_can_hold() -> None:
    long = {
        name(path): lines
        for path in PRODUCT.rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_MODULE
    }

    assert long == {}


def test_the_package_and_the_readme_name_every_room() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8").split("## The house", 1)[1]
    told = set(re.findall(r"[a-z_]+", kimi_mcp.__doc__ or ""))
    rooms = {
        path.stem
        for path in PRODUCT.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    } - {"__init__", "__main__"}

    assert rooms - told == set()
    assert rooms - set(re.findall(r"`([a-z_]+)/?`", readme)) == set()


def test_only_the_command_line_prints() -> None:
    printing = {
        name(path)
        for path in PRODUCT.rglob("*.py")
        if "print" in set(called(path)) and path.parent != PRODUCT / "cli"
    }

    assert printing == set()


def test_no_test_sleeps_but_the_named_polls() -> None:
    sleeping = {
        name(path)
        for path in (ROOT / "tests").rglob("*.py")
        if any(call.split(".")[-1] == "sleep" for call in called(path))
    }

    assert sleeping <= set(POLLS)


def test_every_test_has_a_name_of_its_own() -> None:
    names = [path.name for path in (ROOT / "tests").rglob("test_*.py")]

    assert sorted(set(names)) == sorted(names)


def name(path: Path) -> str:
    """Return the path from the root of the checkout."""
    return path.relative_to(ROOT).as_posix()


def called(path: Path) -> Iterator[str]:
    """Yield the dotted names that a module calls."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)
