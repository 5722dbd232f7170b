"""What a script is given: values that JSON can hold, and no secret in any of them."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kimi_mcp.review.values import redacted

SECRET = "sk-0123456789"
TEXTS = st.text(max_size=5) | st.builds(
    "{}{}{}".format, st.text(max_size=3), st.just(SECRET), st.text(max_size=3)
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=10,
)


def hidden(text: str) -> str:
    return text.replace(SECRET, "[secret]")


@given(VALUES)
def test_no_secret_is_left_in_a_name_or_a_value_at_any_depth(value: Any) -> None:
    assert SECRET not in json.dumps(redacted(value, hidden))


def test_numbers_and_truths_stay_what_they_are_and_rows_become_lists() -> None:
    value = {"steps": 3, "share": 0.5, "is_checked": True, "note": None, "depends_on": (1, 2)}

    assert redacted(value, hidden) == {**value, "depends_on": [1, 2]}


def test_a_moment_is_told_as_the_record_writes_it() -> None:
    noon = datetime(2026, 1, 2, 14, 0, tzinfo=timezone(timedelta(hours=2)))

    assert redacted(noon, hidden) == redacted(noon.astimezone(UTC), hidden)
    assert redacted(noon, hidden) == "2026-01-02T12:00:00.000Z"
