import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from kimi_mcp.quota.admission import Standing, Way, decide

SOON = datetime(2026, 1, 2, 15, tzinfo=UTC)
LATER = datetime(2026, 1, 6, 15, tzinfo=UTC)
LIVE = "says the account"


@dataclass(frozen=True)
class Case:
    name: str
    standings: tuple[Standing, ...] = ()
    way: Way = Way.GO
    says: str = "10 to 20 steps expected"
    is_refusal: bool = False
    cap: int | None = None
    until: datetime | None = None
    is_small: bool = False
    is_agreed: bool = False


def week(**known: Any) -> Standing:
    return Standing(name="7 days", spent=1_000, **known)


def hours(**known: Any) -> Standing:
    return Standing(name="5 hours", spent=100, **known)


CASES = (
    Case("nothing is known"),
    Case("a small task", is_small=True, way=Way.CLAUDE, says="quicker done by Claude"),
    Case("enough by our count", (week(allowance=2_048), hours())),
    Case(
        "too little by our count",
        (week(allowance=1_015), hours()),
        says="of 1015 in 7 days at least 1000 are spent.*only warns",
    ),
    Case(
        "nothing left by our count",
        (week(allowance=900),),
        says="of 900 in 7 days at least 1000 are spent.*only warns",
    ),
    Case("enough by the account", (week(left=500, word=LIVE), hours(left=50, word=LIVE))),
    Case(
        "enough by the account where our count would warn",
        (week(left=500, word=LIVE, allowance=900),),
        says="at least 1000 are spent",
    ),
    Case(
        "some left in the tighter window",
        (week(left=500, word=LIVE), hours(left=15, word=LIVE)),
        way=Way.CAP,
        says="about 15 left in 5 hours, says the account: capped",
        cap=15,
    ),
    Case(
        "exactly the least is left",
        (hours(left=10, word=LIVE),),
        way=Way.CAP,
        says="capped",
        cap=10,
    ),
    Case(
        "too little left, and it renews",
        (hours(left=9, word=LIVE, renews_at=SOON),),
        way=Way.WAIT,
        says="about 9 steps are left in 5 hours.*renews at 2026-01-02 15:00 UTC",
        is_refusal=True,
        until=SOON,
    ),
    Case(
        "too little left, nobody knows until when",
        (hours(left=9, word=LIVE),),
        way=Way.CLAUDE,
        says="about 9 steps are left",
        is_refusal=True,
    ),
    Case(
        "gone in both windows: the later renewal counts",
        (
            hours(is_gone=True, word=LIVE, renews_at=SOON),
            week(is_gone=True, word=LIVE, renews_at=LATER),
        ),
        way=Way.WAIT,
        says="the quota of 7 days is gone.*2026-01-06",
        is_refusal=True,
        until=LATER,
    ),
    Case(
        "gone by Kimi's word",
        (hours(is_gone=True, word="said Kimi at 13:00"),),
        way=Way.WAIT,
        says="gone, said Kimi at 13:00; when it renews is not known",
        is_refusal=True,
    ),
    Case(
        "gone, and the user agreed",
        (hours(is_gone=True, word=LIVE, renews_at=SOON),),
        says="as the user agreed.*is gone",
        is_agreed=True,
    ),
    Case(
        "too little left, and the user agreed",
        (hours(left=2, word=LIVE),),
        says="as the user agreed",
        is_agreed=True,
    ),
    Case(
        "a cap is no refusal: consent changes nothing",
        (hours(left=15, word=LIVE),),
        way=Way.CAP,
        says="capped",
        cap=15,
        is_agreed=True,
    ),
    Case(
        "a small task that the quota has no room for",
        (hours(is_gone=True, word=LIVE),),
        way=Way.WAIT,
        says="gone",
        is_refusal=True,
        is_small=True,
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_way_is_taken_for_its_reason_and_says_it(case: Case):
    decision = decide(10, 20, case.standings, is_small=case.is_small, is_agreed=case.is_agreed)

    assert decision.way is case.way
    assert re.search(case.says, decision.reason), decision.reason
    assert (decision.is_refusal, decision.cap, decision.until) == (
        case.is_refusal,
        case.cap,
        case.until,
    )


def test_our_own_count_never_refuses():
    for spent in (0, 100, 10_000):
        for allowance in (None, 1, 100, 5_000):
            standing = Standing(name="7 days", spent=spent, allowance=allowance)
            assert not decide(10, 20, [standing], is_small=False, is_agreed=False).is_refusal
