"""Where Claude Code keeps what we add to or look at.

Claude Code 2.1.330: its own state is `.claude.json`, in `CLAUDE_CONFIG_DIR` where that is set and
else in the home folder; settings, rules and skills of a user lie in `~/.claude` or that folder,
those of a project in its `.claude`, and a project's shared servers in `.mcp.json`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from kimi_mcp.claude.packaged import RULE_NAME
from kimi_mcp.state import StateFolder


class Scope(StrEnum):
    """For whom: this user everywhere, all who work on a project, or this user in this project."""

    USER = "user"
    PROJECT = "project"
    LOCAL = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The files of one scope."""

    scope: Scope
    project: Path
    config: Path
    state_file: Path
    ignored: Path
    """Git's ignore file of the user; Claude Code adds a project's local settings to it."""
    own: Path
    """Our own folder for what is laid out, and for what we have to remember."""

    @classmethod
    def of(cls, scope: Scope, *, folder: Path, environ: Mapping[str, str] = os.environ) -> "Places":
        """Find the places of *scope* as seen from *folder*."""
        home = Path(environ.get("HOME") or Path.home())
        named = environ.get("CLAUDE_CONFIG_DIR")
        config = Path(named).expanduser().absolute() if named else home / ".claude"
        inside = (one for one in (folder, *folder.parents) if (one / ".git").exists())
        return cls(
            scope=scope,
            project=next(inside, folder),
            config=config,
            state_file=(config if named else home) / ".claude.json",
            ignored=Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "git" / "ignore",
            own=StateFolder.named(environ).root / "claude",
        )

    @property
    def base(self) -> Path:
        """The folder that holds this scope's rules, skills and settings."""
        return self.config if self.scope is Scope.USER else self.project / ".claude"

    @property
    def settings(self) -> Path:
        """The settings of this scope."""
        return self.settings_of(self.scope)

    def settings_of(self, scope: Scope) -> Path:
        """Return the settings file of any scope."""
        if scope is Scope.USER:
            return self.config / "settings.json"
        name = "settings.json" if scope is Scope.PROJECT else "settings.local.json"
        return self.project / ".claude" / name

    @property
    def rule(self) -> Path:
        """Our rule for plan mode."""
        return self.base / "rules" / RULE_NAME

    @property
    def skills(self) -> Path:
        """The folder of skills."""
        return self.base / "skills"

    @property
    def shared_servers(self) -> Path:
        """The project's servers for all who work on it."""
        return self.project / ".mcp.json"

    @property
    def marketplace(self) -> Path:
        """Where the plugin is laid out; Claude Code reads it there."""
        return self.own / "marketplace"

    @property
    def known_marketplaces(self) -> Path:
        """Claude Code's list of marketplaces."""
        return self.config / "plugins" / "known_marketplaces.json"

    @property
    def clients_files(self) -> tuple[Path, ...]:
        """What Claude Code's own commands change."""
        return (
            self.state_file,
            self.settings_of(Scope.USER),
            self.settings,
            self.shared_servers,
            self.known_marketplaces,
            self.ignored,
            self.config / "plugins" / "installed_plugins.json",
        )
