"""What the text of a setting may be: validators, each raising ValueError for what it refuses. Pure.

What is allowed is said by the setting's own description.
"""

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any, cast

_REF_PART = re.compile(r"(?!.*\.\.)(?!.*\.lock$)[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def ref_prefix(text: str) -> str:
    """Accept the beginning of a branch's name."""
    if not all(_REF_PART.fullmatch(part) for part in text.split("/")):
        raise ValueError
    return text


def inner_path(text: str) -> str:
    """Accept a path that stays in the checkout and out of its `.git`; it may be a glob."""
    parts = [part.lower() for part in PurePosixPath(text).parts]
    is_outer = text.startswith(("/", "~")) or ".." in parts or ".git" in parts
    if not text or is_outer or "\\" in text or _CONTROL.search(text):
        raise ValueError
    return text


def inner_paths(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Accept paths or globs that stay in the checkout."""
    return tuple(map(inner_path, paths))


def outer_paths(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Accept absolute paths, also those from the home folder."""
    if not all(path.startswith(("/", "~/")) and ".." not in Path(path).parts for path in paths):
        raise ValueError
    return paths


def writable_paths(paths: tuple[str, ...]) -> tuple[str, ...]:
    """Accept absolute paths of which none holds the home folder."""
    home = Path.home()
    for path in outer_paths(paths):
        real = Path(path).expanduser().resolve()
        if home == real or home.is_relative_to(real):
            raise ValueError
    return paths


def commands(texts: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """Accept commands that a shell can be given."""
    if not all(text.strip() and "\0" not in text for text in texts or ()):
        raise ValueError
    return texts


#: Keys of Kimi's configuration that a profile has a word of its own for, or that keep a run in
#: bounds; both dialects'.
_OURS = frozenset(
    {
        "background",
        "default_model",
        "default_thinking",
        "hooks",
        "loop_control.max_attempts_per_step",
        "loop_control.max_retries_per_step",
        "loop_control.max_steps_per_turn",
        "mcp.client.tool_call_timeout_ms",
        "mcp.tool_timeout_ms",
        "telemetry",
        "thinking.enabled",
        "tools",
    }
)


def kimi_keys(table: dict[str, Any]) -> dict[str, Any]:
    """Accept a table of Kimi's own keys, none of them set by kimi-mcp itself."""
    for dotted, value in _dotted(table):
        parts = dotted.split(".")
        is_ours = any(".".join(parts[:length]) in _OURS for length in range(1, len(parts) + 1))
        if is_ours or not _is_plain(value):
            raise ValueError
    return table


def _dotted(table: Mapping[str, Any], above: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in table.items():
        if isinstance(value, Mapping):
            found += _dotted(cast("Mapping[str, Any]", value), f"{above}{key}.")
        else:
            found.append((f"{above}{key}", value))
    return found


def _is_plain(value: object) -> bool:
    if isinstance(value, list):
        return all(map(_is_plain, cast("list[object]", value)))
    return isinstance(value, str | int | float | bool)
