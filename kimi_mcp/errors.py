"""What can go wrong before any work is done.

Two branches. `Refused`: the caller could have avoided it, and the message says what, which and what
now, with the nearest known names. `Unready`: a person must fix the machine, and `doctor` names it.
A Kimi that fails is neither: that is an outcome (`lifecycle.Outcome`).

    KimiMcpError
    ├── Refused
    │   ├── SpecInvalid      the spec's text, with line numbers
    │   └── KimiUnusable     no Kimi that we can run
    └── Unready
        ├── Unreachable      another machine that has work of ours, or should
        ├── GitFailed        git said no to something that must work
        └── StoreUnusable    the history is newer than we are, or unreadable
"""

import difflib
from collections.abc import Iterable


class KimiMcpError(Exception):
    """The root: its text is a sentence for the person or model that called."""


class Refused(KimiMcpError):
    """The caller could have avoided it."""


class SpecInvalid(Refused):
    """A spec's text breaks the format; the message names each line."""


class KimiUnusable(Refused):
    """No Kimi CLI that we can run; the message says why and the exact remedy."""


class Unready(KimiMcpError):
    """A person must fix the machine."""


class Unreachable(Unready):
    """A cluster does not answer; what it was given goes on there."""


class GitFailed(Unready):
    """A git command failed that must work."""


class StoreUnusable(Unready):
    """The history file cannot be used as it is."""


def nearest(word: str, known: Iterable[str], *, limit: int = 3) -> str:
    """Say which known names are meant: the closest first, else the first few, else "none"."""
    return ", ".join(_near(word, known, limit)) or "none"


def nearest_sentence(word: str, known: Iterable[str]) -> str:
    """Say the same as a sentence that follows another; nothing where nothing is known."""
    names = _near(word, known, 3)
    return f" Nearest: {', '.join(names)}." if names else ""


def _near(word: str, known: Iterable[str], limit: int) -> list[str]:
    names = list(known)
    return difflib.get_close_matches(word, names, n=limit, cutoff=0.5) or names[:limit]
