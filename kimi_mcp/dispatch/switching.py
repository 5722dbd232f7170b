"""Listing profiles, and switching between them."""

from pathlib import Path

from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import KimiUnusable
from kimi_mcp.kimi.detect import detect_kimi
from kimi_mcp.kimi.dialect import DialectName
from kimi_mcp.kimi.dialects import DIALECTS
from kimi_mcp.kimi.home import user_home
from kimi_mcp.profiles.switch import Difference, differences, switch
from kimi_mcp.settings import config_file


def kimi_config(bench: Workbench) -> tuple[DialectName, Path]:
    """Say whose configuration it is that profiles change: that of the Kimi which would run."""
    try:
        dialect = detect_kimi(bench.state, environ=bench.environ).dialect
    except KimiUnusable:
        dialect = "code"
    return dialect, user_home(bench.environ, DIALECTS[dialect]) / "config.toml"


def list_profiles(bench: Workbench) -> str:
    """Tell every profile, which one is the default, and what each would change in Kimi's config.

    Raises:
        Refused: the settings or Kimi's configuration cannot be read.
    """
    settings = bench.settings()
    dialect, file = kimi_config(bench)
    lines = [f"Default profile: {settings.profile}. Each would set in {file}:"]
    for name, profile in settings.profiles.items():
        rows = ", ".join(
            _row(row) for row in differences(profile, dialect=dialect, kimi_config=file)
        )
        lines.append(f"- {name}: {rows}")
    return "\n".join([*lines, "Switch with a name, only when the user asks for it."])


def switch_to(bench: Workbench, name: str) -> str:
    """Write a profile into Kimi's own configuration and make it the default of dispatches.

    Raises:
        Refused: there is no such profile, or a file cannot be edited safely; nothing is changed.
    """
    profile = bench.settings().profile_named(name)
    dialect, file = kimi_config(bench)
    done = switch(
        name,
        profile,
        dialect=dialect,
        kimi_config=file,
        settings_file=config_file(bench.environ),
    )
    changed = [_row(row) for row in done.differences if row.is_change]
    lines = [f"The profile is now {name}; dispatches that run keep what they started with."]
    lines.append(f"Changed in {file}: {', '.join(changed) or 'nothing'}.")
    if done.backup is not None:
        lines.append(f"The file as it was: {done.backup}.")
    return "\n".join(lines)


def _row(row: Difference) -> str:
    if not row.is_change:
        return f"{row.key} = {row.wanted} (as it is)"
    before = "not set" if row.present is None else row.present
    return f"{row.key} = {row.wanted} (now {before})"
