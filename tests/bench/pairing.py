"""Measuring things side by side: A B A B …, so that a busy moment of the machine hurts them all."""

import math
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import TypeVar

T = TypeVar("T")


def interleave(contestants: Sequence[Callable[[], T]], *, rounds: int) -> list[list[T]]:
    """Measure the contestants in turn, *rounds* times; return what each has shown, in its order.

    A first round is not counted: it fills caches, and writes byte code.
    """
    for contestant in contestants:
        contestant()
    shown = [[contestant() for contestant in contestants] for _ in range(rounds)]
    return [list(column) for column in zip(*shown, strict=True)]


def milliseconds(work: Callable[[], object]) -> float:
    """Return how long *work* takes."""
    begun_at = time.perf_counter()
    work()
    return (time.perf_counter() - begun_at) * 1000


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least *percent* of *values* do not exceed."""
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def paired_ratio(ours: Sequence[float], yardstick: Sequence[float]) -> float:
    """Return the median of the ratios round by round."""
    return median(a / b for a, b in zip(ours, yardstick, strict=True))


def paired_difference(ours: Sequence[float], yardstick: Sequence[float]) -> float:
    """Return the median of the differences round by round."""
    return median(a - b for a, b in zip(ours, yardstick, strict=True))
