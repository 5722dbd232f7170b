"""What a glob in a spec means: the one rule for the lint and for the judgment of scope. Pure.

`*` and `?` stay within one folder; `**` as a whole part is any number of folders, also none, and as
the last part everything beneath. Brackets are ordinary characters: `app/[id]/page.tsx` is a file
name in many repositories. Upper and lower case are told apart.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

_STARS = re.compile(r"\*+")


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
    """Write *pattern* as an expression that never tries one piece in a second place.

    The first place where what stands between two stars fits is as good as any later one, so each
    is held in an atomic group: a pattern of a hundred stars takes no longer than its path is long.
    """
    *folders, last = pattern.split("/")
    runs: list[list[str]] = [[]]
    for part in folders:
        if part == "**":
            runs.append([])
        else:
            runs[-1].append(_part(part) + "/")
    first, *others = ["".join(run) for run in runs]
    end = ".+" if last == "**" else _part(last)
    if not others:
        return re.compile(first + end, re.DOTALL)
    *middle, final = others
    text = first + "".join(f"(?>(?:[^/]+/)*?{run})" for run in middle if run)
    if last != "**" or final:
        # the last run stands at the end, so it has but one place: as many folders from there
        text += f"(?>(?:[^/]+/)*?{final}{end}\\Z)"
    else:
        text += end
    return re.compile(text, re.DOTALL)


def _part(part: str) -> str:
    first, *others = [
        "".join("[^/]" if sign == "?" else re.escape(sign) for sign in piece)
        for piece in _STARS.split(part)
    ]
    if not others:
        return first
    *middle, final = others
    inner = "".join(f"(?>[^/]*?{piece})" for piece in middle if piece)
    return f"{first}{inner}(?>[^/]*?{final}(?=/|\\Z))"
