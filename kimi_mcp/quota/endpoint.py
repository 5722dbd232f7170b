"""Asking the account how much is used: at most once a minute, whoever asks.

The token goes to the account's own server and nowhere else: not to a host that it redirects to, not
over a connection that can be read, not into a file, a log or a message. What was answered is kept
for a minute in the state folder; so is that it failed.
"""

import json
import os
import urllib.error
import urllib.request
from dataclasses import dataclass
from datetime import datetime, timedelta
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from filelock import FileLock

from kimi_mcp.quota.account import Account
from kimi_mcp.quota.usage import Window, windows

EVERY = timedelta(minutes=1)
TIMEOUT_S = 5.0
_BYTES = 262_144
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_REFUSALS = {
    401: "the account does not accept Kimi's stored login; run `kimi login`",
    403: "the account does not let its usage be asked with this login or key",
    404: "this provider tells no usage",
    429: "the account was asked too often; it is asked again in a minute",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the account said, or why it is not known."""

    windows: tuple[Window, ...] = ()
    asked_at: datetime
    problem: str = ""


def ask(account: Account, *, cache: Path, now: datetime, timeout_s: float = TIMEOUT_S) -> Answer:
    """Return the account's usage, at most a minute old.

    Args:
        account: whose.
        cache: a folder private to the user.
        now: this moment.
        timeout_s: how long it may take to answer.
    """
    if account.token is None:
        return Answer(asked_at=now, problem=account.obstacle)
    cache.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = cache / f"usage-{account.fingerprint}.json"
    with FileLock(f"{file}.lock", mode=0o600):
        kept = _kept(file, now=now)
        if kept is not None:
            return kept
        answered, problem = _asked(account.base_url, account.token, timeout_s=timeout_s)
        _keep(file, answered, problem, now=now)
        return _answer(answered, problem, asked_at=now)


def _answer(answered: object, problem: str, *, asked_at: datetime) -> Answer:
    found = windows(answered)
    if not problem and not found:
        problem = "the account answered in a way that is not understood"
    return Answer(windows=found, asked_at=asked_at, problem=problem)


def _kept(file: Path, *, now: datetime) -> Answer | None:
    try:
        kept: Any = json.loads(file.read_bytes())
        asked_at = datetime.fromisoformat(kept["asked_at"])
        if not timedelta() <= now - asked_at < EVERY:
            return None
        return _answer(kept["answered"], str(kept["problem"]), asked_at=asked_at)
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _keep(file: Path, answered: object, problem: str, *, now: datetime) -> None:
    draft = file.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        json.dump({"asked_at": now.isoformat(), "answered": answered, "problem": problem}, stream)
    draft.replace(file)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Follow nothing: the token would go along."""


def _asked(base_url: str, token: str, *, timeout_s: float) -> tuple[object, str]:
    """Return what is answered and no problem, or nothing and the problem."""
    url = f"{base_url.rstrip('/')}/usages"
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return None, "the provider's base_url is not https, and a login is not sent in the clear"
    request = urllib.request.Request(  # noqa: S310 - https, or loopback
        url, headers={"Authorization": f"Bearer {token}", "Accept": "application/json"}
    )
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=timeout_s) as response:
            return json.loads(response.read(_BYTES)), ""
    except urllib.error.HTTPError as error:
        error.close()
        return None, _REFUSALS.get(error.code, f"the account answered with HTTP {error.code}")
    except TimeoutError:
        return None, f"the account did not answer within {timeout_s:g} s"
    except urllib.error.URLError as error:
        is_slow = isinstance(error.reason, TimeoutError)
        problem = f"did not answer within {timeout_s:g} s" if is_slow else "cannot be reached"
        return None, f"the account {problem}"
    except (ValueError, RecursionError):
        return None, "the account answered with something that is no JSON"
    except (OSError, HTTPException):
        return None, "the connection to the account broke"
