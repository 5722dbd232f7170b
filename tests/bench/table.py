"""The one table that a run prints. Pure.

Every number is a median over the rounds, with the minimum in brackets: on a busy machine the
minimum says what the code costs, and the median what was met.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

from tests.bench.pairing import paired_difference, paired_ratio

HEADINGS = ("figure", "ours", "yardstick", "ratio", "difference", "aim")


@dataclass(frozen=True, slots=True)
class Aim:
    """An upper bound for one of a row's numbers."""

    of: Literal["ours", "ratio", "difference"]
    bound: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure: a value for each round, and those of the yardstick in the same rounds."""

    figure: str
    unit: Literal["ms", "MB", "%"]
    ours: Sequence[float]
    yardstick: Sequence[float] = ()
    aim: Aim | None = None

    @property
    def ratio(self) -> float | None:
        """Ours by the yardstick's, the median over the rounds; nothing without a yardstick."""
        return paired_ratio(self.ours, self.yardstick) if self.yardstick else None

    @property
    def difference(self) -> float | None:
        """Ours minus the yardstick's, the median over the rounds; nothing without a yardstick."""
        return paired_difference(self.ours, self.yardstick) if self.yardstick else None

    @property
    def is_met(self) -> bool | None:
        """Whether the aim is met; nothing without an aim."""
        if self.aim is None:
            return None
        reached = {"ours": median(self.ours), "ratio": self.ratio, "difference": self.difference}
        value = reached[self.aim.of]
        return value is not None and value <= self.aim.bound


def table(rows: Sequence[Row], headings: Sequence[str] = HEADINGS) -> str:
    """Lay the rows out as a Markdown table."""
    cells = [tuple(headings), *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    lines = [_line(line, widths) for line in cells]
    lines.insert(1, _line(tuple("-" * width for width in widths), widths))
    return "\n".join(lines)


def _cells(row: Row) -> tuple[str, ...]:
    lowest = min(row.yardstick) if row.yardstick else None
    return (
        row.figure,
        _both(median(row.ours), min(row.ours), unit=row.unit),
        _both(median(row.yardstick), lowest, unit=row.unit) if lowest is not None else "",
        f"{row.ratio:.2f} ({min(row.ours) / lowest:.2f})" if row.ratio and lowest else "",
        _both(row.difference, min(row.ours) - lowest, unit=row.unit)
        if row.difference is not None and lowest is not None
        else "",
        _aim(row),
    )


def _both(middle: float, lowest: float, *, unit: str) -> str:
    digits = 0 if unit == "ms" else 1
    return f"{middle:.{digits}f} ({lowest:.{digits}f}) {unit}"


def _aim(row: Row) -> str:
    if row.aim is None:
        return ""
    bound = f"{row.aim.bound:.2f}" if row.aim.of == "ratio" else f"{row.aim.bound:.0f} {row.unit}"
    return f"{row.aim.of} ≤ {bound}: {'met' if row.is_met else 'missed'}"


def _line(cells: tuple[str, ...], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"
