"""Whether a dispatch may spend what it takes: go, go with a cap, wait, let Claude do it. Pure.

Our own count is a lower bound of what the account has spent, and an allowance in the settings is
the user's guess: together they only warn. A refusal needs the account's own word (live usage) or
Kimi's own 403 within its window, and the user's consent overrides it. Whatever is decided is said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

#: How long Kimi's own word that the quota is gone is believed.
STOP_COUNTS = timedelta(hours=5)


class Way(StrEnum):
    """The four answers before a dispatch."""

    GO = "go"
    CAP = "go with a cap"
    WAIT = "wait"
    CLAUDE = "let Claude do it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of one window of the quota."""

    name: str
    spent: int  # through us
    allowance: int | None = None  # by the settings
    left: int | None = None  # in steps, by the account's word
    is_gone: bool = False  # by the account's word, or Kimi's
    renews_at: datetime | None = None
    word: str = ""  # whose word it is, as part of a sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is advised, and whether a dispatch is refused for it."""

    way: Way
    reason: str
    is_refusal: bool = False
    cap: int | None = None  # steps of the whole dispatch
    until: datetime | None = None


def is_still_gone(
    stopped_at: datetime | None, worked_at: datetime | None, *, now: datetime
) -> bool:
    """Tell whether Kimi's word that the quota is gone counts; not if it has worked since."""
    if stopped_at is None or now - stopped_at > STOP_COUNTS:
        return False
    return worked_at is None or worked_at <= stopped_at


def decide(
    low: int, high: int, standings: Sequence[Standing], *, is_small: bool, is_agreed: bool
) -> Decision:
    """Decide about a dispatch that is expected to take from *low* to *high* steps.

    Args:
        low: steps.
        high: steps.
        standings: the windows.
        is_small: so little that Claude does it as quickly.
        is_agreed: the user has agreed to go over the quota.
    """
    decided = _by_word(low, high, standings)
    if decided is not None and decided.is_refusal and is_agreed:
        return Decision(way=Way.GO, reason=f"over the quota, as the user agreed ({decided.reason})")
    if decided is not None:
        return decided
    needs = f"{low} to {high} steps expected"
    for one in standings:
        if one.allowance is not None and one.spent + high > one.allowance:
            return Decision(
                way=Way.GO,
                reason=f"{needs}, and of {one.allowance} in {one.name} at least {one.spent} are "
                "spent: it may not suffice (by kimi-mcp's own count, which only warns)",
            )
    if is_small:
        return Decision(way=Way.CLAUDE, reason=f"{needs}; so little is quicker done by Claude")
    return Decision(way=Way.GO, reason=needs)


def _by_word(low: int, high: int, standings: Sequence[Standing]) -> Decision | None:
    """Decide where the account or Kimi has spoken: the worst window counts."""
    gone = [one for one in standings if one.is_gone]
    if gone:
        worst = max(gone, key=_renewal)
        return Decision(
            way=Way.WAIT,
            reason=f"the quota of {worst.name} is gone, {worst.word}{_until(worst)}",
            is_refusal=True,
            until=worst.renews_at,
        )
    known = [(one.left, one) for one in standings if one.left is not None]
    if not known:
        return None
    left, least = min(known, key=lambda pair: pair[0])
    if left < low:
        has_end = least.renews_at is not None
        return Decision(
            way=Way.WAIT if has_end else Way.CLAUDE,
            reason=f"about {left} steps are left in {least.name}, {least.word}, and {low} to "
            f"{high} are expected{_until(least)}",
            is_refusal=True,
            until=least.renews_at,
        )
    if left < high:
        return Decision(
            way=Way.CAP,
            reason=f"{low} to {high} steps expected, about {left} left in {least.name}, "
            f"{least.word}: capped at that",
            cap=left,
        )
    return None


def _renewal(one: Standing) -> float:
    return one.renews_at.timestamp() if one.renews_at else float("inf")


def _until(one: Standing) -> str:
    if one.renews_at is None:
        return "; when it renews is not known"
    return f"; it renews at {one.renews_at:%Y-%m-%d %H:%M} UTC"
