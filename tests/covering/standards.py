"""What must be covered: all of a pure module, and most of all together. Pure."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass

LEAST_PERCENT = 92.0  # of the statements and branches of all modules together


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """How much of some code was run: statements and branches taken together."""

    run: int
    all: int
    missing: str = ""

    @property
    def percent(self) -> float:
        """Of nothing, all was run."""
        return 100.0 * self.run / self.all if self.all else 100.0

    def __add__(self, other: "Covered") -> "Covered":
        return Covered(run=self.run + other.run, all=self.all + other.all)


def is_pure(source: str) -> bool:
    """Tell whether a module's docstring says so: `Pure.`, or `Pure` but for something it names."""
    return "Pure" in (ast.get_docstring(ast.parse(source)) or "")


def faults(modules: Mapping[str, Covered], sources: Mapping[str, str]) -> list[str]:
    """Say what is covered too little; *sources* has the text of each module."""
    found = [
        f"{name} is pure and not run whole: {covered.missing}"[:200]
        for name, covered in sorted(modules.items())
        if covered.run < covered.all and is_pure(sources[name])
    ]
    total = sum(modules.values(), start=Covered(run=0, all=0))
    if total.percent < LEAST_PERCENT:
        found.append(f"Of all modules {total.percent:.1f} % are run, {LEAST_PERCENT:.0f} % needed.")
    return found
