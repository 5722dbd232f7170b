"""Every process is counted whatever its environment, and what is asked of the counts is asked."""

import subprocess
import sys
from pathlib import Path

from tests.covering.counting import counted
from tests.covering.report import joined, modules, table
from tests.covering.standards import Covered, faults, is_pure

ROOT = Path(__file__).resolve().parents[2]
WHOLE, HALF, NONE = (Covered(run=run, all=10, missing="7") for run in (10, 5, 0))
PURE = '"""Decides. Pure."""'
THIN = '"""Reads a file. It is no decision."""'


def run(site: Path) -> None:
    """Run a little of the product as the launcher is run: isolated, with no environment at all."""
    code = f"import site; site.addsitedir({str(site)!r})\nfrom kimi_mcp import globs, lifecycle"
    subprocess.run([sys.executable, "-I", "-c", code], env={}, cwd="/", check=True)


def test_an_isolated_process_without_an_environment_is_counted(tmp_path: Path) -> None:
    counts, site = tmp_path / "counts", tmp_path / "site"
    counts.mkdir()
    site.mkdir()

    with counted(counts / "part", site=site):
        run(site)
        run(site)

    assert len([*counts.iterdir()]) == 2
    joined(counts.iterdir(), tmp_path / "all")
    found = modules(tmp_path / "all", ROOT)
    assert 0 < found["kimi_mcp/globs.py"].percent < 100
    assert found["kimi_mcp/lifecycle.py"].missing == "24 42"
    assert found["kimi_mcp/state.py"].run == 0
    assert "\nall  " in table(found, worst=0)


def test_a_fork_that_leaves_without_a_word_is_counted(tmp_path: Path) -> None:
    counts, site = tmp_path / "counts", tmp_path / "site"
    counts.mkdir()
    site.mkdir()
    code = f"""
import os, site
site.addsitedir({str(site)!r})
if os.fork() == 0:
    from kimi_mcp import globs
    os._exit(0)
os.wait()
from kimi_mcp import lifecycle
"""
    with counted(counts / "part", site=site):
        subprocess.run([sys.executable, "-I", "-c", code], env={}, cwd="/", check=True)

    assert len([*counts.iterdir()]) == 2
    joined(counts.iterdir(), tmp_path / "all")
    found = modules(tmp_path / "all", ROOT)
    assert found["kimi_mcp/globs.py"].run > 0
    assert found["kimi_mcp/lifecycle.py"].run > 0


def test_nothing_is_left_behind_and_nothing_is_counted_afterwards(tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    with counted(site / "part", site=site):
        (planted,) = site.iterdir()
        text = planted.read_text(encoding="utf-8")
    assert [*site.iterdir()] == []

    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    ours = text.split("os.kill(")[1].split(",")[0]
    planted.write_text(text.replace(ours, str(gone.pid)), encoding="utf-8")  # as after a kill
    run(site)
    assert [*site.iterdir()] == [planted]


def test_a_module_is_pure_when_its_first_words_say_so() -> None:
    assert is_pure(PURE)
    assert is_pure('"""Decides. Pure but for the clock."""')
    assert not is_pure(THIN)
    assert not is_pure("PURE = 1")


def test_all_of_a_pure_module_is_asked_for_and_most_of_the_rest() -> None:
    sources = {"pure.py": PURE, "thin.py": THIN}

    assert faults({"pure.py": WHOLE, "thin.py": WHOLE}, sources) == []
    assert faults({"pure.py": WHOLE, "thin.py": Covered(run=84, all=90)}, sources) == []
    assert faults({"pure.py": WHOLE, "thin.py": HALF}, sources) == [
        "Of all modules 75.0 % are run, 92 % needed."
    ]
    assert faults({"pure.py": HALF, "thin.py": Covered(run=990, all=990)}, sources) == [
        "pure.py is pure and not run whole: 7"
    ]


def test_of_nothing_all_is_run() -> None:
    assert Covered(run=0, all=0).percent == 100
    assert NONE.percent == 0
