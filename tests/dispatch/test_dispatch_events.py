import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_mcp.dispatch import events
from kimi_mcp.dispatch.events import Checked, Committed, Ended, Step, TaskEvent, decode, encode
from kimi_mcp.dispatch.orders import Orders
from kimi_mcp.history.records import Change, Check

#: Stored in people's histories: a name may be added and never changed.
KINDS: dict[str, type[TaskEvent]] = {
    "task.started": events.Started,
    "task.step": events.Step,
    "task.tool_done": events.ToolDone,
    "task.said": events.Said,
    "task.noted": events.Noted,
    "task.fenced": events.Fenced,
    "task.session": events.SessionKnown,
    "task.spent": events.Spent,
    "task.committed": events.Committed,
    "task.found": events.Found,
    "task.charged": events.Charged,
    "task.checked": events.Checked,
    "task.ended": events.Ended,
}

seconds = st.floats(0, 86_400)
orders_of_all_kinds = st.builds(
    Orders,
    task_s=seconds,
    silence_s=seconds,
    check_s=seconds,
    setup_s=seconds,
    grace_s=seconds,
)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_event_survives_being_stored_under_its_name(name: str):
    @given(st.from_type(KINDS[name]))
    def survives(event: TaskEvent) -> None:
        kind, payload = encode(event)

        assert kind == name
        assert decode(kind, json.loads(json.dumps(payload))) == event

    survives()


def test_every_kind_of_event_is_tried_above():
    assert set(KINDS.values()) == set(get_args(TaskEvent))


def test_what_a_newer_version_wrote_is_passed_over():
    assert decode("task.teleported", {}) is None
    assert decode("task.step", {"number": 1, "tool": "", "target": "", "mood": 3}) == Step(number=1)
    check: dict[str, Any] = {
        "position": 1,
        "command": "true",
        "directory": None,
        "exit_code": 0,
        "is_timed_out": False,
        "duration_ms": 1,
        "output_tail": "",
    }
    assert decode("task.checked", {"check": {**check, "mood": 3}}) == Checked(check=Check(**check))
    change: dict[str, Any] = {
        "path": "a",
        "status": "A",
        "added": 1,
        "deleted": 0,
        "stray_reason": None,
    }
    assert decode(
        "task.committed", {"commit": "c", "changes": [{**change, "mood": 3}]}
    ) == Committed(commit="c", changes=(Change(**change),))


def test_an_end_stored_without_words_is_read():
    payload = {
        "outcome": None,
        "is_cancelled": True,
        "is_checked": False,
        "commit": None,
        "sentence": "s",
    }

    assert decode("task.ended", payload) == Ended(
        outcome=None, is_cancelled=True, is_checked=False, commit=None, sentence="s"
    )


@given(orders_of_all_kinds)
def test_orders_survive_being_stored_and_keys_of_a_newer_version(orders: Orders):
    stored = json.loads(json.dumps(orders.to_json()))

    assert Orders.from_json({**stored, "mood": 3}) == orders


@given(orders_of_all_kinds, st.lists(st.none() | st.integers(0, 300)))
def test_a_wish_can_only_lower_the_step_limit(orders: Orders, wishes: list[int | None]):
    limit = orders.step_budget(*wishes)

    given_limits = [one for one in (orders.steps, *wishes) if one]
    assert limit == (min(given_limits) if given_limits else 0)
