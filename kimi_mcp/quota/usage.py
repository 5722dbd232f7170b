"""What the account's usage endpoint answers, in either of its two shapes. Pure.

New (read by Kimi Code 2.1.0): `usages.limit_5h.used_ratio` and the like, also in camel case, as
`kimi web` passes it on. Old (kimi-cli, Kimi Code up to 0.38): `usage` for the week and `limits`
with windows of minutes, in counts that are texts. A share may come as a ratio, as a percentage or
as counts. Where they contradict each other, or one could be either, the fullest is told and the
window is in doubt: nothing is refused for it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

WEEK = "7 days"
FIVE_HOURS = "5 hours"

_NAMES = {"5h": FIVE_HOURS, "7d": WEEK, "monthtotal": "month", "monthcode": "month, code only"}
_MINUTES = {"MINUTE": 1, "HOUR": 60, "DAY": 1440}
_SAME = 0.02  # how far two ways to say a share may be apart by rounding
_WHOLE = 100
_MOST_RATIO = 2  # an overdrawn plan; what is larger was meant as a percentage
_MOST_TEXT = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How much of one window's allowance is used."""

    name: str
    share: float  # 0 to 1, or more
    used: int | None = None  # in the unit of the plan, which need not be steps
    limit: int | None = None
    resets_at: datetime | None = None
    doubt: str = ""  # why the answer contradicts itself


def windows(answer: object) -> tuple[Window, ...]:
    """Read an answer; nothing where it has neither shape."""
    top = _table(answer)
    inner = _table(top.get("quota")) or top
    found = [*_new_shape(_table(inner.get("usages"))), *_old_shape(inner)]
    return tuple({window.name: window for window in reversed(found)}.values())[::-1]


def _new_shape(usages: Mapping[str, Any]) -> Iterator[Window]:
    for key, value in usages.items():
        plain = key.lower().replace("_", "").removeprefix("limit")
        window = _window(_NAMES.get(plain, plain[:_MOST_TEXT]), _table(value))
        if window is not None:
            yield window


def _old_shape(answer: Mapping[str, Any]) -> Iterator[Window]:
    limits: Any = answer.get("limits")
    for item in cast("list[Any]", limits) if isinstance(limits, list) else []:
        span, detail = _table(_table(item).get("window")), _table(_table(item).get("detail"))
        unit = str(span.get("timeUnit", "")).removeprefix("TIME_UNIT_").rstrip("S")
        duration = _number(span.get("duration"))
        minutes = (duration or 0) * _MINUTES.get(unit, 0)
        if window := _window(_span(minutes), detail):
            yield window
    if window := _window(WEEK, _table(answer.get("usage"))):
        yield window


def _span(minutes: float) -> str:
    for length, name in ((300, FIVE_HOURS), (10_080, WEEK)):
        if minutes == length:
            return name
    return f"{minutes:g} minutes"


def _window(name: str, detail: Mapping[str, Any]) -> Window | None:
    values = {key.lower().replace("_", ""): value for key, value in detail.items()}
    used, limit = _number(values.get("used")), _number(values.get("limit"))
    left = _number(values.get("remaining"))
    if used is None and left is not None and limit is not None:
        used = limit - left
    shares = dict(_shares(values))
    if used is not None and limit:
        shares[f"{used:g} of {limit:g}"] = used / limit
    if not shares:
        return None
    share = max(shares.values())
    is_agreed = share - min(shares.values()) <= _SAME
    return Window(
        name=name,
        share=max(0.0, share),
        used=None if used is None else round(used),
        limit=None if limit is None else round(limit),
        resets_at=_moment(values),
        doubt="" if is_agreed else f"it says {' and '.join(shares)}",
    )


def _shares(values: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for key, value in values.items():
        number = _number(value)
        if number is None:
            continue
        if key in {"usedpercent", "usedpercentage", "percent", "percentage"}:
            yield f"{number:g} %", number / _WHOLE
        elif key in {"usedratio", "ratio"}:
            text = f"{number:g}"
            is_percentage = str(value).strip().endswith("%")
            if not is_percentage:
                yield text, number if number <= _MOST_RATIO else number / _WHOLE
            if is_percentage or 1 < number <= _MOST_RATIO:
                yield f"{text} %", number / _WHOLE


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    text = str(value).strip().removesuffix("%").strip()
    return float(text) if re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", text) else None


def _moment(values: Mapping[str, Any]) -> datetime | None:
    for key in ("resettime", "resetat", "resetsat"):
        value: Any = values.get(key)
        seconds = _number(value)
        try:
            if seconds is not None:
                return datetime.fromtimestamp(seconds / (1000 if seconds > 10**11 else 1), UTC)
            moment = datetime.fromisoformat(str(value))
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError, OSError):
            continue
    return None


def _table(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
