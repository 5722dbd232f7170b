import json
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_mcp.quota.forecast import (
    FEWEST,
    Features,
    Forecast,
    Past,
    accuracy,
    forecast,
    together,
)

SMALL = Features(files=2, kbytes=4.0, commands=1, kind="modify")

Law = Callable[[Features, random.Random], float]


def exact(task: Features, chance: random.Random) -> float:
    """Steps grow with files, size and checks; chance adds or takes a third."""
    steps = 2 + 1.5 * task.files + 0.8 * task.commands + task.kbytes / 10
    return steps * chance.lognormvariate(0, 0.3)


def vague(task: Features, chance: random.Random) -> float:
    """Now and then Kimi gets lost, and new files are quicker than changes."""
    steps = (1 if task.kind == "create" else 2) * task.files + 3
    return steps * (chance.uniform(2, 4) if chance.random() < 0.08 else chance.uniform(0.7, 1.4))


def a_task(chance: random.Random) -> Features:
    return Features(
        files=chance.randint(1, 9),
        kbytes=chance.expovariate(1 / 20),
        commands=chance.randint(0, 3),
        kind=chance.choice(["create", "modify", "mixed"]),
    )


def history(law: Law, *, seed: int, tasks: int) -> list[Past]:
    """Forecast each task from those before it, as it happens in life; the newest is first."""
    chance = random.Random(seed)
    past: list[Past] = []
    for _ in range(tasks):
        features = a_task(chance)
        expected = forecast(features, past)
        past.insert(0, Past(forecast=expected, steps=max(1, round(law(features, chance)))))
    return past


@pytest.mark.parametrize("law", [exact, vague])
@pytest.mark.parametrize("seed", range(4))
def test_four_of_five_tasks_of_a_known_law_fall_into_the_interval(law: Law, seed: int):
    known = accuracy(history(law, seed=seed, tasks=400)[:-FEWEST])

    assert known is not None
    assert known.inside / known.forecasts >= 0.8
    assert known.median_error < 6


def test_the_interval_is_no_excuse_for_saying_nothing():
    past = history(exact, seed=1, tasks=300)

    widths = [one.forecast.high / one.forecast.low for one in past if one.forecast.samples]
    assert sorted(widths)[len(widths) // 2] < 4


def test_until_enough_is_known_the_rule_of_thumb_stands():
    past = history(exact, seed=1, tasks=FEWEST)

    assert forecast(SMALL, past[1:]) == Forecast(
        features=SMALL, low=5, typical=7, high=9, samples=0
    )
    assert forecast(SMALL, past).samples == FEWEST


def test_the_tasks_that_are_most_alike_count():
    large = Features(files=8, kbytes=300.0, commands=3, kind="create")
    quick = Past(forecast=forecast(SMALL, ()), steps=3)
    slow = Past(forecast=forecast(large, ()), steps=120)
    past = [quick] * 60 + [slow] * 60

    assert forecast(SMALL, past).high < 5
    assert forecast(large, past).low > 80


def test_the_steps_of_several_tasks_are_known_better_than_of_each():
    one = Forecast(features=SMALL, low=5, typical=10, high=20, samples=20)

    assert together([one]) == (5, 20)
    low, high = together([one] * 4)
    assert 20 < low < 40 < high < 80


def test_how_good_the_forecasts_were_is_known():
    expected = Forecast(features=SMALL, low=5, typical=10, high=20, samples=20)
    known = accuracy(Past(forecast=expected, steps=steps) for steps in (4, 9, 12, 20, 50))

    assert known is not None
    assert (known.forecasts, known.inside, known.median_error) == (5, 3, 6)
    assert accuracy([]) is None


st.register_type_strategy(
    Features,
    st.builds(
        Features,
        files=st.integers(0),
        kbytes=st.floats(0, allow_infinity=False),
        commands=st.integers(0),
        kind=st.text(),
    ),
)


@given(st.from_type(Forecast))
def test_a_forecast_survives_being_stored(one: Forecast):
    assert Forecast.from_json(json.loads(json.dumps(one.to_json()))) == one


@pytest.mark.parametrize("stored", [{}, {"features": 3}, {"features": {}}, {"low": 1}])
def test_what_another_version_stored_is_nothing(stored: dict[str, object]):
    assert Forecast.from_json(stored) is None
