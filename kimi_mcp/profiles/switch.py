"""Switching between profiles: what each changes in Kimi's own configuration, and doing it.

Kimi's `config.toml` and our `kimi-mcp.toml` are both planned before either is written, so that a
malformed one leaves both alone. The two dialects have the same wishes under different keys. A limit
of no steps is written as 0, not left out: left out means no limit to a run with `-p` only. The
legacy CLI would refuse the 0, so it gets a large number.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kimi_mcp.profiles.compose import UNLIMITED_STEPS
from kimi_mcp.profiles.edit import Key, Plain, is_same, value_at
from kimi_mcp.profiles.rewrite import Rewrite
from kimi_mcp.profiles.source import read_config
from kimi_mcp.settings import Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A key of Kimi's configuration, and what a profile makes of it."""

    #: Dotted, as in `loop_control.max_steps_per_turn`.
    key: str
    #: None where the key is not set; anything that TOML can hold.
    present: object
    wanted: Plain

    @property
    def is_change(self) -> bool:
        """Whether switching would write this key."""
        return not is_same(self.present, self.wanted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switched:
    """What a switch has done."""

    differences: tuple[Difference, ...]
    #: Kimi's configuration as it was; None when nothing in it had to change.
    backup: Path | None


def differences(
    profile: Profile, *, kimi_config: Path, dialect: str = "code"
) -> tuple[Difference, ...]:
    """Compare *profile* with Kimi's configuration, one row for each key that profiles know.

    Raises:
        Refused: the configuration is no TOML.
    """
    config = read_config(kimi_config)
    return tuple(
        Difference(key=".".join(key), present=value_at(config, key), wanted=wanted)
        for key, wanted in _keys(profile, dialect).items()
    )


def switch(
    name: str, profile: Profile, *, kimi_config: Path, settings_file: Path, dialect: str = "code"
) -> Switched:
    """Write *profile* into Kimi's configuration, and *name* into ours as the default.

    Raises:
        Refused: one of the two files is no TOML or cannot be edited safely; none is changed.
        Unready: a file cannot be read or written.
    """
    rows = differences(profile, kimi_config=kimi_config, dialect=dialect)
    of_kimi = Rewrite.plan(kimi_config, _keys(profile, dialect))
    of_ours = Rewrite.plan(settings_file, {("profile",): name})
    of_kimi.write()
    of_ours.write()
    return Switched(differences=rows, backup=of_kimi.backup)


def _keys(profile: Profile, dialect: str) -> Mapping[Key, Plain]:
    steps: Key = ("loop_control", "max_steps_per_turn")
    keys: dict[Key, Plain]
    if dialect == "legacy":
        keys = {
            steps: profile.steps or UNLIMITED_STEPS,
            ("mcp", "client", "tool_call_timeout_ms"): profile.tool_timeout_ms,
            ("default_thinking",): profile.thinking,
        }
    else:
        keys = {
            steps: profile.steps,
            ("mcp", "tool_timeout_ms"): profile.tool_timeout_ms,
            ("thinking", "enabled"): profile.thinking,
        }
    if profile.model is not None:
        keys["default_model",] = profile.model
    return keys
