"""Listing profiles, and switching between them."""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock

from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import KimiUnusable, Refused
from kimi_mcp.kimi.config_check import complaint
from kimi_mcp.kimi.detect import Kimi, detect_kimi
from kimi_mcp.kimi.dialect import DialectName
from kimi_mcp.kimi.dialects import DIALECTS
from kimi_mcp.kimi.home import user_home
from kimi_mcp.profiles.switch import Difference, Place, differences, switch
from kimi_mcp.reading import shown
from kimi_mcp.settings import Profile, config_file

#: What a profile says about dispatches only; nothing of it is written into Kimi's configuration.
_OF_DISPATCHES: Mapping[str, Callable[[Profile], object]] = {
    "subagents": lambda profile: profile.subagents,
    "fan_out": lambda profile: profile.fan_out,
    "max_parallel": lambda profile: profile.max_parallel,
    "task_s": lambda profile: profile.task_s,
    "weekly_steps": lambda profile: profile.weekly_steps,
    "five_hour_steps": lambda profile: profile.five_hour_steps,
}


_SECRET = re.compile(r"key|token|secret|password|headers", re.IGNORECASE)


def list_profiles(bench: Workbench) -> str:
    """Tell every profile, which one is the default, and what each would change in Kimi's config.

    Raises:
        Refused: the settings or Kimi's configuration cannot be read.
    """
    settings = bench.settings()
    place, _ = _place(bench)
    profiles = settings.profiles
    lines = [f"Default profile: {settings.profile}. Each sets in {place.kimi_config}:"]
    rows: dict[str, dict[str, str]] = {}
    present: dict[str, object] = {}
    for name, profile in profiles.items():
        for row in differences(profile, dialect=place.dialect, kimi_config=place.kimi_config):
            rows.setdefault(row.key, {})[name] = _shown(row.key, row.wanted)
            present[row.key] = row.present
    heads = ["key", "now", *profiles]
    cells = [[key, _shown(key, present[key]), *_across(rows[key], profiles)] for key in rows]
    lines += [
        "",
        *_table(heads, cells),
        "",
        "And for dispatches only:",
    ]
    cells = [
        [key, *(_said(value(profile)) for profile in profiles.values())]
        for key, value in _OF_DISPATCHES.items()
    ]
    lines += ["", *_table(["key", *profiles], cells), ""]
    return "\n".join([*lines, "-: not set. switch_profile name=NAME switches."])


def profile_values(bench: Workbench) -> dict[str, Any]:
    """Tell the same for a script: each key of Kimi's config as it is and as each profile sets it.

    Raises:
        Refused: the settings or Kimi's configuration cannot be read.
    """
    settings = bench.settings()
    place, _ = _place(bench)
    keys: dict[str, dict[str, object]] = {}
    for name, profile in settings.profiles.items():
        for row in differences(profile, dialect=place.dialect, kimi_config=place.kimi_config):
            told = keys.setdefault(row.key, {"now": _open(row.key, row.present)})
            told[name] = _open(row.key, row.wanted)
    return {
        "default": settings.profile,
        "kimi_config": str(place.kimi_config),
        "keys": keys,
        "dispatches": {
            name: {key: value(profile) for key, value in _OF_DISPATCHES.items()}
            for name, profile in settings.profiles.items()
        },
    }


def _open(key: str, value: object) -> object:
    return _shown(key, value) if _SECRET.search(key) else value


def switch_to(bench: Workbench, name: str) -> str:
    """Write a profile into Kimi's own configuration and make it the default of dispatches.

    Raises:
        Refused: there is no such profile, or a file cannot be edited safely; nothing is changed.
    """
    profile = bench.settings().profile_named(name)
    place, kimi = _place(bench)

    def approve(config: str) -> None:
        folder = bench.state.cache
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        wrong = kimi and complaint(kimi, config, folder=folder, environ=bench.environ)
        if wrong:
            raise Refused(
                f"Kimi would not accept {place.kimi_config} with profile {name}: {wrong}. Nothing "
                f"was changed. Correct the file or [profiles.{name}] in {place.settings_file}."
            )

    place.memory.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with FileLock(bench.state.profile_memory / "lock", mode=0o600):
        leaving = bench.settings().profile
        done = switch(name, profile, place, leaving=leaving, approve=approve)
    lines = [f"The profile is now {name}; dispatches that run keep what they started with."]
    changed = _rows(done.differences)
    if done.is_restored:
        lines.append(f"{place.kimi_config} is again what it was before {leaving}, byte for byte.")
        own = differences(profile, dialect=place.dialect, kimi_config=place.kimi_config)
        if others := _rows(own):
            lines += ["It says otherwise than the profile, which dispatches go by:", ""]
            lines += [*_table(["key", "there", "profile"], others), ""]
            lines.append("Switch to it once more to write the profile's values.")
    elif changed:
        lines += [f"Changed in {place.kimi_config}:", "", *_table(["key", "was", "is"], changed)]
    else:
        lines.append(f"Changed in {place.kimi_config}: nothing.")
    if done.backup is not None:
        lines.append(f"The file as it was: {done.backup}.")
    return "\n".join(lines)


def kimi_config(bench: Workbench) -> tuple[DialectName, Path]:
    """Say whose configuration it is that profiles change: that of the Kimi which would run."""
    place, _ = _place(bench)
    return place.dialect, place.kimi_config


def _place(bench: Workbench) -> tuple[Place, Kimi | None]:
    try:
        kimi = detect_kimi(bench.state, environ=bench.environ)
    except KimiUnusable:
        kimi = None
    dialect = kimi.dialect if kimi else "code"
    file = user_home(bench.environ, DIALECTS[dialect]) / "config.toml"
    key = hashlib.sha256(os.fsencode(file)).hexdigest()[:16]
    place = Place(
        kimi_config=file,
        settings_file=config_file(bench.environ),
        memory=bench.state.profile_memory / f"{key}.json",
        dialect=dialect,
    )
    return place, kimi


def _rows(found: Iterable[Difference]) -> list[list[str]]:
    return [
        [row.key, _shown(row.key, row.present), _shown(row.key, row.wanted)]
        for row in found
        if row.is_change
    ]


def _across(found: Mapping[str, str], profiles: Mapping[str, Profile]) -> list[str]:
    return [found.get(name, "-") for name in profiles]


def _table(heads: list[str], rows: list[list[str]]) -> list[str]:
    lines = [heads, ["---"] * len(heads), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _shown(key: str, value: object) -> str:
    """Write the value of one of Kimi's keys; that of a secret is never shown."""
    return "(secret)" if value is not None and _SECRET.search(key) else _said(value)


def _said(value: object) -> str:
    """Write a value as TOML would; a dash where nothing is set."""
    if value is None:
        return "-"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return shown(text.replace("|", "\\|"))
