"""The user's settings: `kimi-mcp.toml`, then the environment, each value checked at the door.

A wrong value, an unknown key and an unknown `KIMI_MCP_…` variable are refused with what is allowed;
nothing is clamped and nothing is ignored. The runner never loads this module (pydantic costs it a
tenth of a second): what it needs travels in its dispatch's orders.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias, cast

import platformdirs
from pydantic import AfterValidator, Field, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from kimi_mcp import setting_values
from kimi_mcp.errors import Refused, nearest_sentence
from kimi_mcp.reading import expanded, shown
from kimi_mcp.setting_tables import (
    Cluster,
    Keep,
    Limits,
    Profile,
    Quota,
    Section,
    seconds,
    whole,
)

_PREFIX = "KIMI_MCP_"
#: Variables that begin like ours and are no settings; the last one is Kimi Code's own.
_NOT_SETTINGS = frozenset(
    {
        *("KIMI_MCP_HOME", "KIMI_MCP_KIMI", "KIMI_MCP_CONFIG", "KIMI_MCP_TOOL_TIMEOUT_MS"),
        "KIMI_MCP_NODE",
    }
)
_BUILT_IN: Mapping[str, Mapping[str, Any]] = {
    "moderato": {},
    "swarm": {"steps": 0, "subagents": True, "fan_out": "swarm"},
}


def config_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Say where the user's settings stand; the file need not exist."""
    named = environ.get("KIMI_MCP_CONFIG")
    if named:
        return expanded(named).absolute()
    return platformdirs.user_config_path("kimi-mcp", appauthor=False) / "kimi-mcp.toml"


class Settings(Section):
    """Everything that the user may set."""

    profile: str = Field(default="moderato", description="the name of a profile")
    max_parallel: int = whole(3, low=1, high=64)
    foreground_s: float = seconds(20, low=0)
    fence: Literal["required", "auto", "off"] = Field(
        default="auto", description="required, auto or off"
    )
    allow_read: Annotated[tuple[str, ...], AfterValidator(setting_values.outer_paths)] = Field(
        default=(), strict=False, description='a list of paths like ["~/.m2", "/srv/data"]'
    )
    allow_write: Annotated[tuple[str, ...], AfterValidator(setting_values.writable_paths)] = Field(
        default=(),
        strict=False,
        description='a list of folders like ["~/data"], none of which holds the home folder',
    )
    check_network: Literal["loopback", "open"] = Field(
        default="loopback", description="loopback or open"
    )
    branch_prefix: Annotated[str, AfterValidator(setting_values.ref_prefix)] = Field(
        default="kimi", description="a legal beginning of a branch name, like kimi or team/kimi"
    )
    specs_dir: Annotated[str, AfterValidator(setting_values.inner_path)] = Field(
        default="specs", description="a folder inside the repository, relative to its root"
    )
    setup: Annotated[tuple[str, ...] | None, AfterValidator(setting_values.commands)] = Field(
        default=None, strict=False, description='a list of commands, like ["npm ci"]'
    )
    bring: Annotated[tuple[str, ...], AfterValidator(setting_values.inner_paths)] = Field(
        default=(), strict=False, description='a list of files inside, like ["config/*.local"]'
    )
    limits: Limits = Field(default_factory=Limits, description="a table")
    quota: Quota = Field(default_factory=Quota, description="a table")
    keep: Keep = Field(default_factory=Keep, description="a table")
    cluster: Cluster = Field(default_factory=Cluster, description="a table")
    profiles: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")], Profile] = Field(
        default_factory=dict, description="a table of tables, one for each profile"
    )

    @classmethod
    def load(cls, environ: Mapping[str, str] = os.environ, file: Path | None = None) -> Self:
        """Read *file* (else the one that `config_file` names), then what *environ* overrides.

        Raises:
            Refused: a file that is no TOML, an unknown key or variable, a value out of range; the
                message names each with what is allowed.
        """
        path = file or config_file(environ)
        settings = cls.checked(_read(path), source=str(path))
        variables = _variables(environ)
        if variables:
            values = _read(path)
            for key, value in variables.items():
                _put(values, key, value)
            settings = cls.checked(values, source=f"The environment, over {path}")
        return settings

    def profile_named(self, name: str) -> Profile:
        """Look a profile up.

        Raises:
            Refused: there is none of that name; the message lists the known ones.
        """
        if name not in self.profiles:
            raise Refused(
                f"There is no profile {shown(name)!r}. Known profiles: {', '.join(self.profiles)}."
            )
        return self.profiles[name]

    @classmethod
    def checked(cls, values: dict[str, Any], *, source: str) -> Self:
        """Check values that were read from TOML; *source* begins each line of a refusal.

        Raises:
            Refused: an unknown key, or a value out of range.
        """
        try:
            settings = cls.model_validate(_with_built_in(values))
        except ValidationError as error:
            lines = [f"{source}: {_complaint(item)}" for item in error.errors()]
            raise Refused("\n".join(lines)) from error
        if settings.profile not in settings.profiles:
            known = ", ".join(settings.profiles)
            raise Refused(f"{source}: there is no profile {settings.profile!r}; allowed: {known}.")
        return settings


def toml_of(text: str, *, source: str) -> dict[str, Any]:
    """Parse TOML.

    Raises:
        Refused: it is none.
    """
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: also a number of 5,000 digits
        raise Refused(f"{source} is not valid TOML: {error}. Correct it by hand.") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        return toml_of(path.read_text(encoding="utf-8"), source=str(path))
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        raise Refused(f"{path} is not valid TOML: {error}. Correct it by hand.") from error
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}.") from error


def _with_built_in(values: dict[str, Any]) -> dict[str, Any]:
    """Put the built-in profiles under the user's, key by key; what is no table is kept as it is."""
    given: Any = values.get("profiles", {})
    if not isinstance(given, dict):
        return values
    merged: dict[str, Any] = {name: dict(profile) for name, profile in _BUILT_IN.items()}
    for name, profile in cast("dict[str, Any]", given).items():
        beneath = merged.get(name, {})
        merged[name] = {**beneath, **profile} if isinstance(profile, dict) else profile
    return {**values, "profiles": merged}


_Key: TypeAlias = tuple[str, ...]


def _fields() -> Mapping[_Key, FieldInfo]:
    """Every key that holds a value; `*` stands for a profile's name."""
    top = {(name,): field for name, field in Settings.model_fields.items()}
    del top["limits",], top["profiles",], top["quota",], top["keep",], top["cluster",]
    quota = {("quota", name): field for name, field in Quota.model_fields.items()}
    cluster = {("cluster", name): field for name, field in Cluster.model_fields.items()}
    keep = {("keep", name): field for name, field in Keep.model_fields.items()}
    limits = {("limits", name): field for name, field in Limits.model_fields.items()}
    profile = {("profiles", "*", name): field for name, field in Profile.model_fields.items()}
    return {**top, **limits, **quota, **keep, **cluster, **profile}


_FIELDS = _fields()
_TEXTS: frozenset[object] = frozenset(
    {
        str,
        str | None,
        Literal["required", "auto", "off"],
        Literal["loopback", "open"],
        Literal["processes", "swarm"],
        Literal["local", "cluster", "overflow"],
        Literal["node", "hand_over"],
    }
)


def _variables(environ: Mapping[str, str]) -> dict[_Key, Any]:
    """Find our settings in *environ*."""
    found: dict[_Key, Any] = {}
    for variable in sorted(environ):
        if not variable.startswith(_PREFIX) or variable in _NOT_SETTINGS:
            continue
        matches = [(key, match) for key in _FIELDS if (match := _pattern(key).fullmatch(variable))]
        if not matches:
            known = [_PREFIX + "_".join(key).upper().replace("*", "MODERATO") for key in _FIELDS]
            raise Refused(
                f"The environment: unknown variable {variable}.{nearest_sentence(variable, known)}"
            )
        key, match = matches[0]
        exact = tuple(match[1].lower() if part == "*" else part for part in key)
        found[exact] = _typed(environ[variable], _FIELDS[key])
    return found


def _pattern(key: _Key) -> re.Pattern[str]:
    parts = ("([A-Z][A-Z0-9_]*)" if part == "*" else part.upper() for part in key)
    return re.compile(_PREFIX + "_".join(parts))


def _typed(text: str, field: FieldInfo) -> Any:
    """Read *text* as the TOML value it stands for; a key that holds text takes it as it is."""
    if field.annotation in _TEXTS:
        return text
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _put(values: dict[str, Any], key: _Key, value: Any) -> None:
    table = values
    for part in key[:-1]:
        table = table.setdefault(part, {})
    table[key[-1]] = value


def _complaint(item: ErrorDetails) -> str:
    """Say which key is wrong and what is allowed there."""
    key = tuple(str(part) for part in item["loc"])
    dotted = ".".join(key)
    if item["type"] == "extra_forbidden":
        known = [".".join(_starred(key, known)) for known in _FIELDS]
        return f"unknown key {dotted}.{nearest_sentence(dotted, known)}"
    if key[-1] == "[key]":
        return (
            f"{key[-2]!r} cannot name a profile; "
            "allowed: lower-case letters, digits and underscores."
        )
    field = next((f for k, f in _FIELDS.items() if _starred(key, k) == key[: len(k)]), None)
    allowed = "a table" if field is None else field.description
    return f"{dotted} = {item['input']!r} is refused; allowed: {allowed}."


def _starred(key: _Key, pattern: _Key) -> _Key:
    """Write *pattern* with the profile's name that stands in *key*."""
    return tuple(key[1] if part == "*" and len(key) > 1 else part for part in pattern)
