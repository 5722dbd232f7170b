from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_mcp.quota.usage import FIVE_HOURS, WEEK, Window, windows

RESET = "2026-01-02T15:00:00Z"
RESETS_AT = datetime(2026, 1, 2, 15, tzinfo=UTC)

NEW = {
    "usages": {
        "limit_5h": {"used_ratio": 0.1, "reset_time": RESET},
        "limit_7d": {"used_ratio": 0.5, "reset_time": RESET},
        "limit_month_total": {"used_ratio": 0.25, "reset_time": RESET},
        "limit_month_code": {"used_ratio": 0, "reset_time": None},
    },
    "boosterWallet": {"balance": {"type": "BOOSTER", "amount": "5", "amountLeft": "5"}},
}
THROUGH_KIMI_WEB = {
    "kind": "ok",
    "quota": {
        "usages": {
            "limit5h": {"usedRatio": 0.1, "resetAt": RESET},
            "limit7d": {"usedRatio": 0.5, "resetAt": 1_767_366_000},
            "monthTotal": {"usedRatio": 0.25, "resetAt": 1_767_366_000_000},
        },
        "extraUsage": None,
    },
}
OLD: dict[str, Any] = {
    "usage": {"used": "500", "limit": "1000", "resetTime": RESET},
    "limits": [
        {
            "window": {"duration": 300, "timeUnit": "TIME_UNIT_MINUTE"},
            "detail": {"used": "10", "limit": "100", "resetTime": RESET},
        }
    ],
    "user": {"membership": {"level": "LEVEL_STANDARD"}},
}


def by_name(answer: object) -> dict[str, Window]:
    return {window.name: window for window in windows(answer)}


@pytest.mark.parametrize("answer", [NEW, THROUGH_KIMI_WEB, OLD], ids=["new", "web", "old"])
def test_every_shape_tells_the_same(answer: object):
    found = by_name(answer)

    assert found[FIVE_HOURS].share == pytest.approx(0.1)
    assert found[WEEK].share == pytest.approx(0.5)
    assert {window.resets_at for window in (found[FIVE_HOURS], found[WEEK])} == {RESETS_AT}
    assert not any(window.doubt for window in found.values())


def test_only_counts_tell_counts():
    assert (by_name(OLD)[WEEK].used, by_name(OLD)[WEEK].limit) == (500, 1_000)
    assert (by_name(NEW)[WEEK].used, by_name(NEW)[WEEK].limit) == (None, None)


def test_a_month_has_a_name_of_its_own():
    assert set(by_name(NEW)) == {FIVE_HOURS, WEEK, "month", "month, code only"}


@pytest.mark.parametrize(
    ("detail", "share", "doubt"),
    [
        ({"used_ratio": 0.37}, 0.37, ""),
        ({"used_ratio": "0.37"}, 0.37, ""),
        ({"used_ratio": "37%"}, 0.37, ""),
        ({"used_ratio": 37}, 0.37, ""),
        ({"used_percent": 37}, 0.37, ""),
        ({"percentage": "0.5"}, 0.005, ""),
        ({"used_ratio": 1}, 1.0, ""),
        ({"used_ratio": 1.5}, 1.5, "1.5 and 1.5 %"),
        ({"used": "12", "limit": "10"}, 1.2, ""),
        ({"remaining": 3, "limit": 10}, 0.7, ""),
        ({"used": 2, "limit": 10, "used_ratio": 0.2}, 0.2, ""),
        ({"used": 9, "limit": 10, "used_ratio": 0.2}, 0.9, "0.2 and 9 of 10"),
        ({"used": 9, "limit": 0, "used_ratio": 0.2}, 0.2, ""),
        ({"used_ratio": -0.5}, 0.0, ""),
    ],
)
def test_every_unit_is_understood_and_every_contradiction_told(
    detail: dict[str, object], share: float, doubt: str
):
    (window,) = windows({"usages": {"limit_7d": detail}})

    assert window.share == pytest.approx(share)
    assert doubt in window.doubt
    assert bool(doubt) is bool(window.doubt)


@pytest.mark.parametrize(
    ("span", "name"),
    [
        ({"duration": 5, "timeUnit": "TIME_UNIT_HOUR"}, FIVE_HOURS),
        ({"duration": "7", "timeUnit": "DAYS"}, WEEK),
        ({"duration": 60, "timeUnit": "TIME_UNIT_MINUTE"}, "60 minutes"),
    ],
)
def test_a_window_is_known_by_its_length(span: dict[str, object], name: str):
    answer = {"limits": [{"window": span, "detail": {"used": 1, "limit": 2}}]}

    assert [window.name for window in windows(answer)] == [name]


def test_a_window_that_says_nothing_is_passed_over_and_the_next_one_told():
    answer: dict[str, Any] = {"limits": [{"window": {}, "detail": {}}, "x", *OLD["limits"]]}

    assert [window.name for window in windows(answer)] == [FIVE_HOURS]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(
                [
                    "usages",
                    "usage",
                    "limits",
                    "window",
                    "detail",
                    "limit_7d",
                    "used",
                    "limit",
                    "used_ratio",
                    "reset_time",
                    "duration",
                    "timeUnit",
                    "quota",
                    "percent",
                ]
            ),
            inner,
        )
    ),
    max_leaves=30,
)


@given(_json)
def test_nonsense_is_never_an_error(answer: Any):
    for window in windows(answer):
        assert window.share >= 0
