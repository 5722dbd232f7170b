"""What a dispatch needs of the user's repository besides its objects, carried to another machine.

Who the user is, what git ignores, how it writes lines: a few settings and small files. From them
and from a store of objects a bare repository is laid there, which stands for the user's own: a
ledger is made from it as from any other.
"""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kimi_mcp.workspace import git
from kimi_mcp.workspace.clone import CARRIED, config_value, content, setting_file
from kimi_mcp.workspace.lfs import filter_settings
from kimi_mcp.workspace.repository import Repository, configuration, identified

_IGNORE, _ATTRIBUTES = "ignore", "attributes"
_LARGE = b"filter=lfs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """What is told of a repository. Texts only."""

    object_format: str
    settings: Mapping[str, str]
    files: Mapping[str, str]  # by their paths in a git directory

    def to_json(self) -> dict[str, Any]:
        """Return the JSON values that `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Likeness":
        """Read what `to_json` wrote."""
        return cls(**values)


def likeness(repository: Repository) -> Likeness:
    """Tell what is special of *repository*."""
    settings = configuration(repository)
    name, email = identified(settings)
    carried = {key: settings[key] for key in CARRIED if key in settings}
    files = {
        _IGNORE: setting_file(settings, "core.excludesfile", "ignore"),
        _ATTRIBUTES: setting_file(settings, "core.attributesfile", "attributes"),
        "info/exclude": content(repository.common_dir / "info/exclude"),
        "info/attributes": content(repository.common_dir / "info/attributes"),
        "info/sparse-checkout": content(repository.git_dir / "info/sparse-checkout"),
    }
    return Likeness(
        object_format=repository.object_format,
        settings={**carried, "user.name": name, "user.email": email},
        files={path: os.fsdecode(text) for path, text in files.items() if text},
    )


def homebound(repository: Repository, commit: str) -> str | None:
    """Say what of the repository cannot be carried to another machine, if anything."""
    has_filter = filter_settings(configuration(repository))
    if has_filter and _LARGE in _attributes(repository, commit):
        return "it keeps large files with git-lfs"
    listing = git.run(["ls-tree", "-r", "-z", commit], git_dir=repository.common_dir)
    if any(entry.startswith("160000 ") for entry in git.listed(listing)):
        return "it has submodules"
    return None


def _attributes(repository: Repository, commit: str) -> bytes:
    """Return all that says which files are special to git."""
    order = ["grep", "--no-color", "-h", "-a", _LARGE.decode(), commit, "--"]
    in_tree = git.ask([*order, ":(glob)**/.gitattributes"], git_dir=repository.common_dir)
    settings = configuration(repository)
    return (
        in_tree.stdout
        + content(repository.common_dir / "info/attributes")
        + setting_file(settings, "core.attributesfile", "attributes")
    )


def lay_likeness(
    told: Likeness, git_dir: Path, *, objects: Path, head: str, boundary: str, root: Path
) -> Repository:
    """Lay a bare repository at *git_dir* that borrows *objects*; *root* stands for its checkout.

    Its history ends at the commit *boundary*.
    """
    for folder in ("objects/info", "refs/heads", "info"):
        (git_dir / folder).mkdir(parents=True)
    texts = {
        **told.files,
        "objects/info/alternates": f"{objects}\n",
        "HEAD": "ref: refs/heads/work\n",
        "shallow": f"{boundary}\n",
        "config": _configuration(told, git_dir),
    }
    for path, text in texts.items():
        (git_dir / path).write_bytes(os.fsencode(text))
    return Repository(
        root=root,
        git_dir=git_dir,
        common_dir=git_dir,
        objects=git_dir / "objects",
        object_format=told.object_format,
        head=head,
        branch=None,
    )


def _configuration(told: Likeness, git_dir: Path) -> str:
    lines = ["[core]\n\trepositoryformatversion = 1\n\tbare = true\n"]
    lines.append(f"\texcludesfile = {config_value(str(git_dir / _IGNORE))}\n")
    lines.append(f"\tattributesfile = {config_value(str(git_dir / _ATTRIBUTES))}\n")
    lines.append(f"[extensions]\n\tobjectformat = {told.object_format}\n")
    for key, value in told.settings.items():
        section, name = key.split(".", 1)
        lines.append(f"[{section}]\n\t{name} = {config_value(value)}\n")
    return "".join(lines)
