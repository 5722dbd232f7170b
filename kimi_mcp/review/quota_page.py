"""The quota as a page, for models and people: what was spent, what is known to be left, a chart."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any, NamedTuple

from kimi_mcp.dispatch.budget import (
    SPANS,
    live_lines,
    live_usage,
    paying,
    spent_in,
    spent_line,
    standings_of,
)
from kimi_mcp.dispatch.expectation import accuracy_line, past_tasks
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.records import Dispatch
from kimi_mcp.history.times import timestamp
from kimi_mcp.quota.admission import Standing
from kimi_mcp.quota.endpoint import Answer
from kimi_mcp.quota.usage import FIVE_HOURS, WEEK

DAYS = 7
BAR_CHARS = 40
NOTE = (
    "One step is one request to the model, subagents and retries included. What Kimi did outside "
    "of kimi-mcp is not counted here."
)


def quota_page(bench: Workbench) -> str:
    """Tell how the quota stands.

    Raises:
        Refused: the settings cannot be read.
    """
    seen = _look(bench)
    lines = [f"# Quota of {_name(seen.account)}", "", spent_line(seen.standings)]
    if seen.possible:
        lines.append(f"Possibly {seen.possible} more: Kimi was killed while it asked.")
    lines += live_lines(seen.live, seen.standings)
    if seen.live is None:
        lines.append(
            "What is left is not asked of the account; quota.live = true in kimi-mcp.toml does "
            "that."
        )
    lines += [
        f"Of {one.name}: gone, {one.word}."
        for one in seen.standings
        if one.is_gone and not (seen.live and seen.live.windows)
    ]
    lines += ["", "Steps a day (UTC):", "", "```", *_chart(bench, seen.account), "```", ""]
    if told := accuracy_line(past_tasks(bench)):
        lines.append(f"Forecasts: {told}.")
    lines += [
        f"Also {_name(other)}: at least {spent_in(bench, other, SPANS[WEEK]):,} steps in {WEEK}, "
        f"{spent_in(bench, other, SPANS[FIVE_HOURS]):,} in {FIVE_HOURS}."
        for other in bench.history.accounts()
        if other != seen.account
    ]
    return "\n".join([*lines, NOTE])


def quota_values(bench: Workbench) -> dict[str, Any]:
    """Tell the same for a script: windows, what the account says, steps by day (UTC).

    Raises:
        Refused: the settings cannot be read.
    """
    seen = _look(bench)
    return {
        "account": seen.account and seen.account[:8],
        "profile": seen.profile,
        "windows": [asdict(one) for one in seen.standings],
        "possible_steps": seen.possible,
        "said_by_the_account": seen.live and asdict(seen.live),
        "steps_by_day": _by_day(bench, seen.account),
    }


class _Seen(NamedTuple):
    """How the account stands that the default profile is paid by."""

    account: str | None
    profile: str
    live: Answer | None
    standings: tuple[Standing, ...]
    possible: int


def _look(bench: Workbench) -> _Seen:
    settings = bench.settings()
    profile = settings.profile_named(settings.profile)
    paid_by = paying(bench, profile)
    account = paid_by.fingerprint if paid_by else None
    live = live_usage(bench, settings, paid_by)
    standings = standings_of(bench, account, profile, live)
    spent = bench.history.spent(account, since=timestamp(bench.now() - SPANS[WEEK]))
    return _Seen(account, settings.profile, live, standings, spent.possible)


def quota_line(bench: Workbench, dispatch: Dispatch) -> str:
    """Tell in a line what the account of a dispatch has spent through us; nobody is asked.

    Raises:
        Refused: the settings cannot be read.
    """
    profile = bench.settings().profiles.get(dispatch.profile)
    if profile is None:  # its user has taken it out since
        return ""
    return spent_line(standings_of(bench, dispatch.account, profile, None))


def _chart(bench: Workbench, account: str | None) -> list[str]:
    steps = _by_day(bench, account)
    most = max(steps.values()) or 1
    return [
        f"{day} {'█' * -(-count * BAR_CHARS // most)} {count}".replace("  ", " ")
        for day, count in steps.items()
    ]


def _by_day(bench: Workbench, account: str | None) -> dict[str, int]:
    today = bench.now().date()
    steps = {(today - timedelta(days=ago)).isoformat(): 0 for ago in reversed(range(DAYS))}
    since = timestamp(bench.now() - timedelta(days=DAYS))
    for hour, count in bench.history.spent_by_hour(account, since=since).items():
        if hour[:10] in steps:
            steps[hour[:10]] += count
    return steps


def _name(account: str | None) -> str:
    return f"account {account[:8]}" if account else "an account that is not known"
