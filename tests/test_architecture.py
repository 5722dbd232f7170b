"""The house rules that no linter knows; imports are judged by import-linter."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PRODUCT = ROOT / "kimi_mcp"
LONGEST_MODULE = 300

# Where a test may sleep: waiting for another process, which can only be asked again and again.
POLLS = {
    "tests/living.py": "until(): the state of another process",
    "tests/bench/memory.py": "a server that has been left alone for a while is what is measured",
}


def test_no_module_is_longer_than_a_reader_can_hold() -> None:
    long = {
        name(path): lines
        for path in PRODUCT.rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_MODULE
    }

    assert long == {}


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
