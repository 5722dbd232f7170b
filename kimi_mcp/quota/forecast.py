"""Expecting how many steps a task will take, from similar ones that were delivered. Pure.

Each past task tells by which factor it departed from the rule of thumb. The interval goes from the
lowest tenth to the highest tenth of the factors of the most similar tasks, counted so that a new
task of the same kind falls inside four times out of five (split conformal prediction). Until nine
tasks are known the rule of thumb stands by itself, and says so.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from kimi_mcp.spec.worth import STEPS_A_FILE, STEPS_A_TASK, by_the_rule

FEWEST = 9  # with fewer no interval can hold four fifths on both sides
NEAREST = 40
TAIL = 0.1
RULE = f"rule of thumb: {STEPS_A_TASK} steps a task and 1 to {STEPS_A_FILE} a file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What a task is like before anybody worked on it."""

    files: int
    kbytes: float  # of the files that it reads and changes, as they are
    commands: int
    kind: str  # create, modify or mixed

    @property
    def by_the_rule(self) -> tuple[int, int]:
        """The fewest and the most steps by the rule of thumb."""
        return by_the_rule(tasks=1, files=self.files)

    @property
    def middle(self) -> float:
        """The steps in the middle of the rule of thumb."""
        return sum(self.by_the_rule) / 2

    def distance(self, other: "Features") -> float:
        """Say how unlike two tasks are; sizes count by their ratio."""
        return (
            abs(math.log((1 + self.files) / (1 + other.files)))
            + abs(math.log((1 + self.kbytes) / (1 + other.kbytes))) / 2
            + abs(math.log((1 + self.commands) / (1 + other.commands))) / 2
            + (0 if self.kind == other.kind else 0.5)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """The steps that a task is expected to take: a range, and what is typical."""

    features: Features
    low: int
    typical: int
    high: int
    samples: int  # past tasks that it rests on; 0: the rule of thumb

    def to_json(self) -> dict[str, Any]:
        """Return the JSON values that `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Forecast | None":
        """Read what `to_json` wrote; what another version wrote is nothing."""
        try:
            known: dict[str, Any] = {**values, "features": Features(**values["features"])}
            return cls(**known)
        except (LookupError, TypeError):
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """A delivered task: what it was like, what was expected, and the steps that it took."""

    forecast: Forecast
    steps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Accuracy:
    """How many earlier forecasts held, and by how many steps they were off in the median."""

    forecasts: int
    inside: int
    median_error: float  # steps between what was typical and what it took


def forecast(features: Features, past: Sequence[Past]) -> Forecast:
    """Expect the steps of a task from *past* ones."""
    nearest = sorted(past, key=lambda one: features.distance(one.forecast.features))[:NEAREST]
    if len(nearest) < FEWEST:
        low, high = features.by_the_rule
        return Forecast(
            features=features, low=low, typical=round(features.middle), high=high, samples=0
        )
    factors = sorted(one.steps / one.forecast.features.middle for one in nearest)
    lowest = math.floor((len(factors) + 1) * TAIL) - 1
    highest = math.ceil((len(factors) + 1) * (1 - TAIL)) - 1
    return Forecast(
        features=features,
        low=max(1, math.floor(features.middle * factors[lowest])),
        typical=max(1, round(features.middle * median(factors))),
        high=max(1, math.ceil(features.middle * factors[highest])),
        samples=len(factors),
    )


def together(forecasts: Iterable[Forecast]) -> tuple[int, int]:
    """Expect the steps of several tasks: their errors partly cancel out."""
    known = tuple(forecasts)
    typical = sum(one.typical for one in known)
    down = math.sqrt(sum((one.typical - one.low) ** 2 for one in known))
    up = math.sqrt(sum((one.high - one.typical) ** 2 for one in known))
    return max(len(known), math.floor(typical - down)), math.ceil(typical + up)


def accuracy(past: Iterable[Past]) -> Accuracy | None:
    """Compare what was expected with what came; nothing where nothing was."""
    known = tuple(past)
    if not known:
        return None
    return Accuracy(
        forecasts=len(known),
        inside=sum(one.forecast.low <= one.steps <= one.forecast.high for one in known),
        median_error=median(abs(one.steps - one.forecast.typical) for one in known),
    )
