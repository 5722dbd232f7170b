"""What lies on a machine before and after setup."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from kimi_mcp.claude.places import Places, Scope
from kimi_mcp.claude.standing import hook_lines, plugin_scopes, registrations

Setup = Callable[..., subprocess.CompletedProcess[str]]

#: Claude Code's own copies of its state, and what its servers said.
_NOT_OURS = re.compile(r"\.claude/backups/|\.cache/|\.git/|\.npm/")


def everything(project: Path) -> dict[str, bytes]:
    """Read what a person has in the home folder and in the project."""
    return {
        str(file): file.read_bytes()
        for folder in (Path(os.environ["HOME"]), project)
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not _NOT_OURS.search(str(file))
    }


def ways(project: Path, scope: Scope = Scope.USER) -> tuple[list[str], list[Scope]]:
    """Name every server of ours that Claude Code would start, and the scopes of our hook.

    The plugin is a server `plugin` with a hook of its own scope.
    """
    places = Places.of(scope, folder=project)
    plugin = plugin_scopes(places)
    off = places.settings_of(Scope.LOCAL)
    disabled = off.read_text(encoding="utf-8") if off.exists() else ""
    servers = [
        one.name
        for one in registrations(places)
        if one.scope is not Scope.PROJECT or f'"{one.name}"' not in disabled
    ]
    hooks = [scope for scope in Scope for _ in hook_lines(places.settings_of(scope))]
    return [*servers, *("plugin" for _ in plugin)], [*hooks, *plugin]
