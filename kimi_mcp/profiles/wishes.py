"""What a profile wants to stand in Kimi's configuration, under each dialect's own keys. Pure.

A limit of no steps is written as 0, not left out: left out means no limit to a run with `-p` only.
The legacy CLI would refuse the 0, so it gets a large number. The article's `tool_call_timeout_ms`
is the legacy CLI's; Kimi Code (2.1.0, ran) accepts that key and does nothing with it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from kimi_mcp.profiles.compose import UNLIMITED_STEPS
from kimi_mcp.profiles.edit import Key, Plain
from kimi_mcp.settings import Profile


def wishes(profile: Profile, dialect: str) -> Mapping[Key, Plain]:
    """Return the value of each key that *profile* sets, its raw ones last."""
    is_legacy = dialect == "legacy"
    timeout: Key = ("mcp", "client", "tool_call_timeout_ms") if is_legacy else _TIMEOUT_OF_CODE
    keys: dict[Key, Plain] = {
        ("loop_control", "max_steps_per_turn"): profile.steps
        or (UNLIMITED_STEPS if is_legacy else 0),
        timeout: profile.tool_timeout_ms,
        ("default_thinking",) if is_legacy else ("thinking", "enabled"): profile.thinking,
    }
    if profile.model is not None:
        keys["default_model",] = profile.model
    return keys | dict(raw_keys(profile.kimi))


_TIMEOUT_OF_CODE: Key = ("mcp", "tool_timeout_ms")


def raw_keys(table: Mapping[str, Any], above: Key = ()) -> Iterator[tuple[Key, Plain]]:
    """Yield each value of a profile's raw settings with the whole key that leads to it."""
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from raw_keys(cast("Mapping[str, Any]", value), (*above, name))
        else:
            yield (*above, name), value
