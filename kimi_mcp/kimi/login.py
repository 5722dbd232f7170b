"""Whether Kimi could reach its model, as far as files tell; no request is made.

Kimi Code 2.1.0: a model names a provider, and that one has an `api_key`, an `env`, or `oauth` with
a key like `oauth/kimi-code`, whose token lies in `credentials/kimi-code.json`. A model may also be
defined by environment alone (`KIMI_MODEL_NAME` and `KIMI_MODEL_API_KEY`). Whether a token still
works is only known once it is used.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

_BY_ENVIRONMENT = ("KIMI_MODEL_NAME", "KIMI_MODEL_API_KEY")


class Login(NamedTuple):
    """What is known: the words, and whether a credential is there."""

    is_there: bool
    words: str


def login(config: Mapping[str, Any], *, home: Path, environ: Mapping[str, str]) -> Login:
    """Tell by which credential the default model of *config* would be reached."""
    if all(environ.get(name) for name in _BY_ENVIRONMENT):
        return Login(True, f"model {environ[_BY_ENVIRONMENT[0]]} by environment")
    model = str(config.get("default_model") or "")
    if not model:
        return Login(False, "no default model")
    about = _table(_table(config.get("models")).get(model))
    if not about:
        return Login(False, f"the default model {model} is not described")
    name = str(about.get("provider"))
    provider = _table(_table(config.get("providers")).get(name))
    if not provider:
        return Login(False, f"model {model} has no provider {name}")
    if provider.get("api_key") or provider.get("env"):
        return Login(True, f"model {model}, provider {name} with a key")
    token = str(_table(provider.get("oauth")).get("key") or "").rpartition("/")[2]
    if not token:
        return Login(False, f"provider {name} has no key")
    if not (home / "credentials" / f"{token}.json").is_file():
        return Login(False, f"provider {name} has no stored token")
    return Login(True, f"model {model}, provider {name} with a stored token")


def _table(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
