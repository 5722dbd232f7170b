"""What a path of a spec may look like, and which other paths it meets. Pure."""

import posixpath
import re
from collections.abc import Iterable

from kimi_mcp import globs
from kimi_mcp.errors import nearest

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_DRIVE = re.compile(r"[A-Za-z]:[\\/]")

_MAX_COMPARED = 60


def rooted(path: str, *, folder: str = "") -> str:
    """Give *path*, written from *folder*, as a path from the repository's root."""
    return posixpath.normpath(posixpath.join(folder, path))


def flaw(path: str, *, folder: str = "") -> tuple[str, str] | None:
    """Say why no branch can hold *path*: a code and a sentence, or None."""
    if control := _CONTROL.search(path):
        return "control", f"a path holds {control[0]!r}, a control character; rename the file"
    if path.startswith("~"):
        return "home", f"`{path}` is in a home folder, outside every repository"
    if path.startswith("/") or _DRIVE.match(path):
        return "absolute", f"`{path}` is absolute; write it from the repository's root"
    if "\\" in path:
        return "backslash", f"`{path}` has a backslash; write `/` between folders"
    steps = rooted(path, folder=folder).split("/")
    if steps[0] == "..":
        return "escape", f"`{path}` leads out of the repository"
    if any(step.lower() == ".git" for step in steps):
        return "git_folder", f"`{path}` is inside a `.git` folder"
    if steps == ["."]:
        return "escape", f"`{path}` is the whole repository; name the files, or `dir/**`"
    return None


def overlap(one: str, other: str) -> bool:
    """Tell whether two patterns may stand for the same file; two globs may when unsure."""
    if not globs.is_glob(one):
        return globs.matches(other, one)
    if not globs.is_glob(other):
        return globs.matches(one, other)
    heads = (_fixed(one), _fixed(other))
    return heads[0].startswith(heads[1]) or heads[1].startswith(heads[0])


def near(path: str, files: Iterable[str]) -> str:
    """Say which of *files* may be meant by *path*: the same name elsewhere, else its neighbours.

    Comparing with every path would take half a second for 6,000 of them.
    """
    folder, name = posixpath.split(path.lower())
    same: list[str] = []
    like: list[str] = []
    for file in files:
        other_folder, other = posixpath.split(file.lower())
        if other == name:
            same.append(file)
        elif other_folder == folder or other[:3] == name[:3]:
            like.append(file)
    return nearest(path, (same or like)[:_MAX_COMPARED])


def _fixed(pattern: str) -> str:
    return re.split(r"[*?]", pattern, maxsplit=1)[0]
