"""What a glob in a spec means: the one rule for the lint and for the judgment of scope. Pure.

`*` and `?` stay within one folder; `**` as a whole part is any number of folders, also none, and as
the last part everything beneath. Brackets are ordinary characters: `app/[id]/page.tsx` is a file
name in many repositories. Upper and lower case are told apart.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

_SIGN = re.compile(r"\*+|\?")


def is_glob(path: str) -> bool:
    """Tell whether *path* stands for several files."""
    return "*" in path or "?" in path


def matches(pattern: str, path: str) -> bool:
    """Tell whether *pattern* (a glob or a plain path) stands for *path*."""
    return pattern == path or bool(is_glob(pattern) and _compiled(pattern).fullmatch(path))


def expand(pattern: str, files: Iterable[str]) -> tuple[str, ...]:
    """Give those of *files* that *pattern* stands for."""
    return tuple(path for path in files if matches(pattern, path))


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    *folders, last = pattern.split("/")
    text = "".join("(?:[^/]+/)*" if part == "**" else f"{_part(part)}/" for part in folders)
    return re.compile(text + (".+" if last == "**" else _part(last)), re.DOTALL)


def _part(part: str) -> str:
    plain = _SIGN.split(part)
    signs = ["[^/]*" if sign.startswith("*") else "[^/]" for sign in _SIGN.findall(part)]
    return "".join(re.escape(text) + sign for text, sign in zip(plain, [*signs, ""], strict=True))
