"""The settings of one repository: the user's, narrowed by the `.kimi-mcp.toml` of the checkout.

Read from the user's checkout, never from a clone or a branch. What it asks for in commands and
files is for `trust` to judge.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from kimi_mcp.dispatch.planning.narrowing import Chosen, chosen_profile, narrowed
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.quoting import quotes
from kimi_mcp.reading import read_text
from kimi_mcp.settings import Settings, toml_of
from kimi_mcp.spec.shelf import Shelf
from kimi_mcp.workspace.repository import Repository

FILE_NAME = ".kimi-mcp.toml"  # at the root of the checkout
LIMIT_BYTES = 65_536
COMMAND_CHARS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What counts in one repository, and what of it the repository has said itself."""

    settings: Settings
    users: Settings
    profile: str | None = None
    setup: tuple[str, ...] = ()
    bring: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    text: str | None = None
    """The repository's file; None: there is none."""

    def profile_for(self, *, spec: str | None) -> Chosen:
        """Choose the profile of a dispatch that names none, with what its spec wishes."""
        return chosen_profile(self.users, [(FILE_NAME, self.profile), ("The spec", spec)])

    def setup_lines(self) -> list[str]:
        """Name the setup commands that are configured, each with the file it stands in."""
        origins = (("kimi-mcp.toml", self.users.setup), (FILE_NAME, self.setup))
        return [
            f"Setup in each clone, from {origin}: {'; '.join(map(quoted, commands))}."
            for origin, commands in origins
            if commands
        ]


def project_of(bench: Workbench, repository: Repository) -> Project:
    """Read the settings that count in *repository*.

    Raises:
        Refused: a key or value of either file is not allowed, or the repository's file is none.
    """
    users = bench.settings()
    file = repository.root / FILE_NAME
    if not os.path.lexists(file):
        return Project(settings=users, users=users)
    return project_from(project_text(file, within=repository.root), users=users)


def shelf_of(repository: Repository, project: Project) -> Shelf:
    """Give the specs folder of *repository*."""
    return Shelf(
        root=repository.root,
        folder=project.settings.specs_dir,
        limit_bytes=project.settings.limits.spec_bytes,
    )


def project_text(file: Path, *, within: Path) -> str:
    """Read a repository's settings file.

    Raises:
        Refused: it is none, or too long.
    """
    return read_text(
        file,
        what="The repository's settings",
        limit_bytes=LIMIT_BYTES,
        limit_name="what such a file may have",
        within=(within,),
    )


def project_from(text: str, *, users: Settings) -> Project:
    """Put a repository's settings over the user's.

    Raises:
        Refused: a key or value is not allowed.
    """
    values = toml_of(text, source=FILE_NAME)
    settings, notes = narrowed(users, values, source=FILE_NAME)
    return Project(
        settings=settings,
        users=users,
        profile=values.get("profile"),
        setup=tuple(values.get("setup", ())),
        bring=tuple(values.get("bring", ())),
        notes=notes,
        text=text,
    )


def quoted(command: str) -> str:
    """Show a command of a file within a sentence."""
    return quotes.quoted(command, limit=COMMAND_CHARS)
