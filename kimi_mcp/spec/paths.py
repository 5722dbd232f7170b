"""What a path of a spec may look like, and what a glob stands for. Pure.

Only `*`, `**` and `?` make a glob: square brackets are ordinary in file names such as
`app/[id]/page.tsx`.
"""

import posixpath
import re
from collections.abc import Iterable
from functools import lru_cache

from kimi_mcp.errors import nearest

_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?")
_MEANING = {"**/": "(?:.+/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}

_MAX_COMPARED = 60


def is_glob(path: str) -> bool:
    """Tell whether *path* stands for several files."""
    return "*" in path or "?" in path


def rooted(path: str, *, folder: str = "") -> str:
    """Give *path*, written from *folder*, as a path from the repository's root."""
    return posixpath.normpath(posixpath.join(folder, path))


def flaw(path: str, *, folder: str = "") -> tuple[str, str] | None:
    """Say why no branch can hold *path*: a code and a sentence, or None."""
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


def matches(pattern: str, path: str) -> bool:
    """Tell whether *pattern* (a glob or a plain path) stands for *path*."""
    return pattern == path or bool(is_glob(pattern) and _compiled(pattern).fullmatch(path))


def expand(pattern: str, files: Iterable[str]) -> tuple[str, ...]:
    """Give those of *files* that *pattern* stands for."""
    if not is_glob(pattern):
        return tuple(path for path in files if path == pattern)
    compiled = _compiled(pattern)
    return tuple(path for path in files if compiled.fullmatch(path))


def overlap(one: str, other: str) -> bool:
    """Tell whether two patterns may stand for the same file; two globs may when unsure."""
    if not is_glob(one):
        return matches(other, one)
    if not is_glob(other):
        return matches(one, other)
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


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts: list[str] = []
    end = 0
    for token in _TOKEN.finditer(pattern):
        parts += [re.escape(pattern[end : token.start()]), _MEANING[token[0]]]
        end = token.end()
    return re.compile("".join([*parts, re.escape(pattern[end:])]), re.DOTALL)
