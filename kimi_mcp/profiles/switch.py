"""Switching between profiles: what each changes in Kimi's own configuration, and doing it.

Kimi's `config.toml` and our `kimi-mcp.toml` are both planned before either is written, so that a
malformed one leaves both alone. Going back to a profile that was left gives the file back as it was
then, byte for byte, unless somebody has edited it since: then only the profile's keys are set.
Switching to the profile that is the default already writes its keys, whatever was restored.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from kimi_mcp.errors import Unready
from kimi_mcp.profiles.edit import Plain, is_same, value_at
from kimi_mcp.profiles.memory import Memory
from kimi_mcp.profiles.rewrite import Rewrite, replace, text_of
from kimi_mcp.profiles.source import read_config
from kimi_mcp.profiles.wishes import wishes
from kimi_mcp.settings import Profile

#: As the room `kimi` names them, of which this one knows nothing.
DialectName: TypeAlias = Literal["code", "legacy"]


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
class Place:
    """The files that a switch writes."""

    kimi_config: Path
    settings_file: Path
    #: Where it is remembered what the configuration was under the profiles that were left.
    memory: Path
    dialect: DialectName = "code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Switched:
    """What a switch has changed in Kimi's configuration."""

    differences: tuple[Difference, ...]
    #: Kimi's configuration as it was; None when nothing in it had to change.
    backup: Path | None
    #: It is byte for byte what it was when the profile was left.
    is_restored: bool


def differences(
    profile: Profile, *, kimi_config: Path, dialect: str = "code"
) -> tuple[Difference, ...]:
    """Compare *profile* with Kimi's configuration, one row for each key that it sets.

    Raises:
        Refused: the configuration is no TOML.
    """
    config = read_config(kimi_config)
    return tuple(
        Difference(key=".".join(key), present=value_at(config, key), wanted=wanted)
        for key, wanted in wishes(profile, dialect).items()
    )


def switch(
    name: str,
    profile: Profile,
    place: Place,
    *,
    leaving: str,
    approve: Callable[[str], None] = lambda _: None,
) -> Switched:
    """Write *profile* into Kimi's configuration, and *name* into ours as the default.

    Args:
        name: the profile's.
        profile: what is wanted.
        place: the files.
        leaving: the name of the profile that was the default so far.
        approve: is shown Kimi's new configuration before it is written, and may raise.

    Raises:
        Refused: one of the two files is no TOML or cannot be edited safely; none is changed.
        Unready: a file cannot be read or written.
    """
    rows = differences(profile, kimi_config=place.kimi_config, dialect=place.dialect)
    present = text_of(place.kimi_config) or ""
    known = _memory(place.memory).texts(present)
    earlier = known.get(name) if name != leaving else None
    of_kimi = Rewrite.plan(place.kimi_config, wishes(profile, place.dialect), earlier=earlier)
    of_ours = Rewrite.plan(place.settings_file, {("profile",): name})
    if of_kimi.is_change:
        approve(of_kimi.after)
    of_kimi.write()
    of_ours.write()
    if name != leaving:
        known[leaving] = present
    known.pop(name, None)
    _remember(place.memory, Memory.of(known, left_as=of_kimi.after))
    return Switched(differences=rows, backup=of_kimi.backup, is_restored=earlier is not None)


def _memory(file: Path) -> Memory:
    try:
        return Memory.from_json(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return Memory()


def _remember(file: Path, memory: Memory) -> None:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace(file, memory.to_json(), mode=0o600)
    except OSError as error:
        raise Unready(f"{file} cannot be written: {error.strerror}.") from error
