"""The mutants are what they are said to be, and a trial tells a noticed one from another."""

import os
from pathlib import Path

import pytest

from tests.mutation.__main__ import MODULES, ROOT
from tests.mutation.explained import EXPLAINED
from tests.mutation.mutants import mutants
from tests.mutation.trial import begin, is_noticed

SOURCE = '''\
"""A module."""
LIMITS: frozenset[int] = frozenset({7})
def allowed(number: int = 3) -> bool:
    """Say it."""
    if not number:
        return number in LIMITS and number < 9
    LIMITS.add(number)
    return None
'''


def test_everything_that_decides_is_changed_and_nothing_else() -> None:
    made = {mutant.name: mutant.source for mutant in mutants(SOURCE)}

    assert [*made] == [
        "LIMITS: no 7",
        "LIMITS: constant 7",
        "allowed: without LIMITS.add(number)",
        "allowed: constant 3",
        "allowed: unless not number",
        "allowed: without not: number",
        "allowed: return None for number in LIMITS and number < 9",
        "allowed: number in LIMITS and number < 9",
        "allowed: number in LIMITS",
        "allowed: number < 9",
        "allowed: constant 9",
    ]
    assert "frozenset({*()})" in made["LIMITS: no 7"]
    assert "if number:" in made["allowed: without not: number"]
    assert "number in LIMITS or number < 9" in made["allowed: number in LIMITS and number < 9"]
    assert "number not in LIMITS" in made["allowed: number in LIMITS"]
    assert "number <= 9" in made["allowed: number < 9"]
    assert "frozenset({8})" in made["LIMITS: constant 7"]
    assert len({*made.values()}) == len(made)


def test_what_is_explained_is_a_mutant_that_there_is() -> None:
    for module, known in EXPLAINED.items():
        source = (ROOT / "kimi_mcp" / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
        names = {mutant.name for mutant in mutants(source)}
        assert {*known} - names == set(), module
        assert len(known) <= len(names) // 10
    assert EXPLAINED.keys() <= MODULES.keys()


@pytest.mark.parametrize("number", [1, 2])
def test_a_trial_plants_a_text_and_runs_the_tests_on_it(tmp_path: Path, number: int) -> None:
    test = tmp_path / "test_planted.py"
    test.write_text(
        "from kimi_mcp.planted import NUMBER\ndef test_it():\n    assert NUMBER == 1\n",
        encoding="utf-8",
    )

    child = begin("kimi_mcp.planted", f"NUMBER = {number}\n", tmp_path / "planted.py", [str(test)])

    assert is_noticed(os.waitpid(child, 0)[1]) == (number != 1)
