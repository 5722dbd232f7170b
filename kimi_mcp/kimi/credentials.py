"""The user's own keys and tokens for Kimi, to be known wherever they turn up.

They stand in the user's home of either dialect: `config.toml` (`api_key` of a provider or service,
variables of MCP servers) and `credentials/*.json` (OAuth tokens; Kimi Code 2.1.0, kimi-cli 1.51).
"""

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from kimi_mcp.quoting.secrets import is_telling, secrets_of

LIMIT_BYTES = 1_000_000
_Stamps = tuple[tuple[Path, int, int], ...]


@dataclass(slots=True)
class Credentials:
    """The secrets that are known: those of the environment, and the user's own for Kimi.

    Kimi refreshes its tokens while it works, so a file that has changed is read again.
    """

    environ: Mapping[str, str]
    _stamps: _Stamps | None = None
    _secrets: Mapping[str, str] = field(default_factory=dict[str, str])

    def __call__(self) -> Mapping[str, str]:
        """Return each secret with the name it is known by; unreadable files hold none."""
        stamps = tuple(_stamps(self.environ))
        if stamps != self._stamps:
            found = secrets_of(self.environ)
            for file, _, size in stamps:
                if size <= LIMIT_BYTES:
                    found |= _secrets_in(file)
            # a token that was refreshed is still one for a while
            self._secrets, self._stamps = {**self._secrets, **found}, stamps
        return self._secrets


def _stamps(environ: Mapping[str, str]) -> Iterator[tuple[Path, int, int]]:
    # a server's first answer need not wait for all that is known of Kimi
    from kimi_mcp.kimi.dialects import DIALECTS  # noqa: PLC0415
    from kimi_mcp.kimi.home import user_home  # noqa: PLC0415

    for dialect in DIALECTS.values():
        home = user_home(environ, dialect)
        for file in (home / "config.toml", *sorted((home / "credentials").glob("*.json"))):
            try:
                about = file.stat()
            except OSError:
                continue
            yield file, about.st_mtime_ns, about.st_size


def _secrets_in(file: Path) -> dict[str, str]:
    try:
        text = file.read_text(encoding="utf-8")
        document = tomllib.loads(text) if file.suffix == ".toml" else json.loads(text)
    except (OSError, ValueError, RecursionError):
        return {}
    return dict(_named(document, "", of=f"Kimi's {file.name}"))


def _named(value: Any, name: str, *, of: str) -> Iterator[tuple[str, str]]:
    """Yield the texts under names that say that they are secret."""
    if isinstance(value, str):
        if is_telling(value) and secrets_of({name: value}):
            yield value, of
    elif isinstance(value, Mapping):
        for inner, item in cast("Mapping[str, Any]", value).items():
            yield from _named(item, inner, of=of)
    elif isinstance(value, Sequence):
        for item in cast("Sequence[Any]", value):
            yield from _named(item, name, of=of)
