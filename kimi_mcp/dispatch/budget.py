"""What a dispatch will take of the quota, and whether it may: gathered from everywhere, said once.

The decision is `quota.admission`'s; here are the history, the settings and the account that it
rests on. Nothing is asked of the account unless `quota.live` says so.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from kimi_mcp.dispatch.expectation import basis, forecasts_of, past_tasks, written_paths
from kimi_mcp.dispatch.switching import kimi_config
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import Refused
from kimi_mcp.history.spending import QuotaStop
from kimi_mcp.history.times import moment, timestamp
from kimi_mcp.profiles.source import read_config
from kimi_mcp.quota.account import Account, account_of
from kimi_mcp.quota.admission import Decision, Standing, Way, decide, is_still_gone
from kimi_mcp.quota.endpoint import Answer, ask
from kimi_mcp.quota.forecast import (
    Forecast,
    together,
)
from kimi_mcp.quota.usage import FIVE_HOURS, WEEK, Window
from kimi_mcp.settings import Profile, Settings
from kimi_mcp.spec.model import Task
from kimi_mcp.spec.worth import size_of

SPANS: Mapping[str, timedelta] = {WEEK: timedelta(days=7), FIVE_HOURS: timedelta(hours=5)}
SAYS_THE_ACCOUNT = "says the account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a dispatch is expected to take, and what became of asking for it."""

    account: str | None
    forecasts: Mapping[int, Forecast]
    standings: tuple[Standing, ...]
    decision: Decision
    lines: tuple[str, ...]  # for whoever is about to dispatch

    @property
    def said(self) -> str | None:
        """What is to be said of a dispatch that was begun; nothing where that is no news."""
        if self.decision.way is Way.CLAUDE:
            return None
        return f"Quota: {self.decision.way}; {self.decision.reason}."

    @property
    def obstacle(self) -> str | None:
        """Why the dispatch is refused, if it is."""
        if not self.decision.is_refusal:
            return None
        return (
            f"{self.decision.way}: {self.decision.reason}. over_quota goes on all the same, when "
            "the user agrees"
        )

    def capped(self, steps: int) -> int:
        """Lower a task's limit of *steps* (0: none), so that all together stay within the cap."""
        cap = self.decision.cap
        if cap is None:
            return steps
        share = max(1, cap // len(self.forecasts))
        return min(steps, share) if steps else share


def budget_of(
    bench: Workbench,
    settings: Settings,
    profile: Profile,
    tasks: Sequence[Task],
    *,
    root: Path,
    is_agreed: bool,
) -> Budget:
    """Look at the quota for a dispatch of *tasks* from the checkout at *root*."""
    past = past_tasks(bench)
    forecasts = forecasts_of(tasks, past, root=root)
    low, high = together(forecasts.values())
    account = paying(bench, profile)
    live = live_usage(bench, settings, account)
    fingerprint = account.fingerprint if account else None
    standings = standings_of(bench, fingerprint, profile, live)
    is_small = not size_of(
        [(written_paths(task), f"{task.preface}\n{task.requirements}") for task in tasks]
    ).is_worth_it
    decision = decide(low, high, standings, is_small=is_small, is_agreed=is_agreed)
    return Budget(
        account=fingerprint,
        forecasts=forecasts,
        standings=standings,
        decision=decision,
        lines=(
            f"Quota: {decision.way}; {decision.reason} ({basis(forecasts, past)}).",
            spent_line(standings),
            *live_lines(live, standings),
        ),
    )


def paying(bench: Workbench, profile: Profile) -> Account | None:
    """Tell whose quota a dispatch would spend; None where Kimi's configuration does not tell."""
    _, file = kimi_config(bench)
    try:
        config = read_config(file)
    except Refused:
        return None
    return account_of(
        config,
        home=file.parent,
        environ=bench.environ,
        model=profile.model,
        now=bench.now(),
    )


def live_usage(bench: Workbench, settings: Settings, account: Account | None) -> Answer | None:
    """Ask the account what is used; None where nobody wants that, or there is no account."""
    if not settings.quota.live or account is None:
        return None
    return ask(account, cache=bench.state.cache, now=bench.now())


def standings_of(
    bench: Workbench, account: str | None, profile: Profile, live: Answer | None
) -> tuple[Standing, ...]:
    """Say how each window of the quota stands."""
    known = {window.name: window for window in live.windows} if live else {}
    stop = None if known else _standing_stop(bench, account)
    allowances = {WEEK: profile.weekly_steps, FIVE_HOURS: profile.five_hour_steps}
    found = [
        _standing(
            name,
            spent=spent_in(bench, account, span),
            allowance=allowances[name],
            window=known.pop(name, None),
            stop=stop if name == FIVE_HOURS else None,
        )
        for name, span in SPANS.items()
    ]
    others = [
        _standing(name, spent=0, allowance=None, window=window, stop=None)
        for name, window in known.items()
    ]
    return (*found, *others)


def spent_in(bench: Workbench, account: str | None, span: timedelta) -> int:
    """Count the steps that an account has certainly spent through us in the last *span*."""
    return bench.history.spent(account, since=timestamp(bench.now() - span)).steps


def spent_line(standings: Sequence[Standing]) -> str:
    """Tell what was spent through us; the account may have spent more in other ways."""
    known = [one for one in standings if one.name in SPANS]
    parts = [
        f"{one.spent:,}{f' of {one.allowance:,}' if one.allowance else ''}"
        f"{'' if place else ' steps'} in {one.name}"
        for place, one in enumerate(known)
    ]
    return f"Through kimi-mcp at least {' and '.join(parts)}."


def live_lines(live: Answer | None, standings: Sequence[Standing]) -> list[str]:
    """Tell what the account says of itself, and where our own count contradicts it."""
    if live is None:
        return []
    if live.problem:
        return [f"The account's own usage is unknown: {live.problem}."]
    parts = [_told(window) for window in live.windows]
    lines = [f"The account says (at {live.asked_at:%H:%M} UTC): {'; '.join(parts)}."]
    spent = {one.name: one.spent for one in standings}
    lines += [
        f"In {window.name} the account counts {window.used:,}, kimi-mcp at least "
        f"{spent[window.name]:,}: they count differently."
        for window in live.windows
        if window.used is not None and window.used < spent.get(window.name, 0)
    ]
    return lines


def _standing(
    name: str, *, spent: int, allowance: int | None, window: Window | None, stop: QuotaStop | None
) -> Standing:
    if window is None or window.doubt:
        return Standing(
            name=name,
            spent=spent,
            allowance=allowance,
            is_gone=stop is not None,
            word=f"said Kimi at {stop.at[11:16]} UTC" if stop else "",
        )
    left = None
    if window.used is not None and window.limit is not None:
        left = max(0, window.limit - window.used)
    elif allowance is not None:
        left = max(0, round((1 - window.share) * allowance))
    return Standing(
        name=name,
        spent=spent,
        allowance=allowance,
        left=left,
        is_gone=window.share >= 1,
        renews_at=window.resets_at,
        word=SAYS_THE_ACCOUNT,
    )


def _standing_stop(bench: Workbench, account: str | None) -> QuotaStop | None:
    """Return Kimi's latest word that the quota is gone, unless it worked again since."""
    stop = bench.history.last_quota_stop(account)
    again = bench.history.last_step(account) if stop else None
    stopped_at, worked_at = (moment(at) if at else None for at in (stop and stop.at, again))
    return stop if is_still_gone(stopped_at, worked_at, now=bench.now()) else None


def _told(window: Window) -> str:
    counts = f" ({window.used:,} of {window.limit:,})" if window.used and window.limit else ""
    until = f", renews {_at(window.resets_at)}" if window.resets_at else ""
    doubt = f", but {window.doubt}" if window.doubt else ""
    return f"{window.name} {window.share:.0%} used{counts}{until}{doubt}"


def _at(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC"
