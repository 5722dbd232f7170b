"""What is known of the quota at once: Kimi's own last word, and what was spent through us.

The settings are not read (they take longer to load than all the rest), so what the user allows for
a week is not known here, and the default model's account is taken to be the one that pays.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from kimi_mcp.errors import KimiMcpError
from kimi_mcp.history.history import History
from kimi_mcp.history.times import moment, timestamp
from kimi_mcp.kimi.home import user_home
from kimi_mcp.profiles.source import read_config
from kimi_mcp.quota.account import account_of
from kimi_mcp.quota.admission import is_still_gone
from kimi_mcp.state import StateFolder

_WEEK = timedelta(days=7)


class Allowance(NamedTuple):
    """Whether the quota is gone, and what else there is to say of it."""

    is_gone: bool = False
    words: str | None = None


def allowance(environ: Mapping[str, str], *, now: datetime) -> Allowance:
    """Look at the history as it is; it is neither made nor brought up to date."""
    database = StateFolder.named(environ).history_db
    if not database.exists():
        return Allowance()
    history = History(database)
    home = user_home(environ)
    try:
        config = read_config(home / "config.toml")
        account = account_of(config, home=home, environ=environ, model=None, now=now)
        fingerprint = account.fingerprint if account else None
        stop = history.last_quota_stop(fingerprint)
        again = history.last_step(fingerprint)
        spent = history.spent(fingerprint, since=timestamp(now - _WEEK)).steps
    except KimiMcpError:
        return Allowance()
    is_gone = is_still_gone(
        moment(stop.at) if stop else None, moment(again) if again else None, now=now
    )
    return Allowance(is_gone, f"at least {spent} were spent in 7 days" if spent else None)
