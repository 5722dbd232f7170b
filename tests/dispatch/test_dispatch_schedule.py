import graphlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_mcp.dispatch.running.schedule import Schedule

dags = st.integers(0, 8).flatmap(
    lambda count: st.fixed_dictionaries(
        {
            n: st.sets(st.integers(0, n - 1), max_size=3) if n else st.just(set())
            for n in range(count)
        }
    )
)


@given(dags, st.sets(st.integers(0, 8)), st.randoms())
def test_every_task_is_handed_out_once_after_all_that_it_depends_on(
    dag: dict[int, set[int]], failing: set[int], order: random.Random
):
    schedule = Schedule(dag)
    handed_out: list[int] = []
    waiting: list[int] = []
    over: dict[int, bool] = {}

    while not schedule.is_over:
        ready = schedule.ready()
        assert ready == sorted(ready)
        for task in ready:
            assert dag[task] <= set(over)
            expected = sorted(n for n in dag[task] if not over[n])
            assert schedule.obstacles(task) == expected
        handed_out += ready
        waiting += ready
        task = waiting.pop(order.randrange(len(waiting)))
        over[task] = task not in failing and not schedule.obstacles(task)
        schedule.ended(task, is_delivered=over[task])

    assert sorted(handed_out) == sorted(dag)


def test_a_skipped_task_skips_those_after_it():
    schedule = Schedule({1: [], 2: [1], 3: [2], 4: []})
    assert schedule.ready() == [1, 4]

    schedule.ended(1, is_delivered=False)
    assert schedule.ready() == [2]
    assert schedule.obstacles(2) == [1]
    schedule.ended(2, is_delivered=False)

    assert schedule.ready() == [3]
    assert schedule.obstacles(3) == [2]
    assert schedule.obstacles(4) == []


def test_a_cycle_is_a_bug_and_raises():
    with pytest.raises(graphlib.CycleError):
        Schedule({1: [2], 2: [1]})
