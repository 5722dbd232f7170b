"""Whose quota a dispatch spends, and what its usage could be asked with. Reads, never writes.

An account is known by a fingerprint, so that history holds neither a name nor a key. Kimi's login
(`credentials/*.json` in its home) is used as it is stored and never refreshed: its refresh token is
good for one use, which is Kimi's.
"""

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

MANAGED = "https://api.kimi.com/coding/v1"  # what Kimi Code 2.1.0 asks when nothing else is said
_PLAN_KEY = "sk-kimi-"
_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who pays, and how its usage can be asked."""

    fingerprint: str
    base_url: str
    token: str | None = field(default=None, repr=False)
    obstacle: str = ""  # why there is no token to ask with


def account_of(
    config: Mapping[str, Any],
    *,
    home: Path,
    environ: Mapping[str, str],
    model: str | None,
    now: datetime,
) -> Account | None:
    """Tell whose quota a run of Kimi with this configuration spends; None where nobody pays.

    Args:
        config: Kimi's own, as `profiles.source.read_config` returns it.
        home: Kimi's, where its login is stored.
        environ: may define a model with its key, which Kimi takes instead.
        model: the profile's; None for the configured default.
        now: the moment at which a login must still be good.
    """
    if environ.get("KIMI_MODEL_NAME") and (key := environ.get("KIMI_MODEL_API_KEY")):
        return _by_key(environ.get("KIMI_MODEL_BASE_URL", ""), key)
    alias = model or config.get("default_model")
    entry = _table(_table(config.get("models")).get(str(alias)))
    provider = _table(_table(config.get("providers")).get(str(entry.get("provider"))))
    base_url = str(provider.get("base_url") or environ.get("KIMI_CODE_BASE_URL") or MANAGED)
    oauth = _table(provider.get("oauth"))
    if oauth:
        name = str(oauth.get("key", "")).rpartition("/")[2] or "kimi-code"
        return _by_login(base_url, home / "credentials" / f"{name}.json", now=now)
    if key := provider.get("api_key"):
        return _by_key(base_url, str(key))
    return None


def _by_key(base_url: str, key: str) -> Account:
    is_plan = key.startswith(_PLAN_KEY) or base_url.rstrip("/").endswith("/coding/v1")
    return Account(
        fingerprint=_fingerprint("key", base_url, key),
        base_url=base_url,
        token=key if is_plan else None,
        obstacle="" if is_plan else "the account pays by use, not by plan",
    )


def _by_login(base_url: str, file: Path, *, now: datetime) -> Account:
    stored = _stored(file)
    token = str(stored.get("access_token") or "")
    fingerprint = _fingerprint("login", base_url, _subject(token) or file.name)
    obstacle = ""
    expires_at = stored.get("expires_at")
    if not token:
        obstacle = "Kimi has no stored login; run `kimi login`"
    elif not isinstance(expires_at, int | float) or expires_at <= now.timestamp():
        obstacle = "Kimi's stored login has expired; Kimi renews it when it runs next"
    return Account(
        fingerprint=fingerprint,
        base_url=base_url,
        token=None if obstacle else token,
        obstacle=obstacle,
    )


def _stored(file: Path) -> Mapping[str, Any]:
    try:
        with file.open("rb") as stream:
            return _table(json.loads(stream.read(_BYTES)))
    except (OSError, ValueError, RecursionError):
        return {}


def _subject(token: str) -> str:
    """Return whom a login is for, so that a renewed one is the same account."""
    parts = token.split(".")
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = _table(json.loads(base64.urlsafe_b64decode(padded)))
    except (IndexError, ValueError, RecursionError):
        return ""
    return str(claims.get("sub") or claims.get("user_id") or "")


def _fingerprint(*parts: str) -> str:
    return hashlib.sha256(os.fsencode("\0".join(parts))).hexdigest()[:16]


def _table(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
