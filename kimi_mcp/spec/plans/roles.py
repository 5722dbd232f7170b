"""What a section of a plan is for, read off its heading. Pure.

The word that comes first in a heading decides. Context, decisions, risks, checks and the like are
roles in which nothing is a task, whatever its shape.
"""

# ruff: noqa: RUF001  # plans are written with these signs

import re
from enum import StrEnum
from functools import lru_cache

from kimi_mcp.spec.plans import labels, words
from kimi_mcp.spec.plans.labels import Rank


class Role(StrEnum):
    """The roles, those first that win where two words stand at one place."""

    OUT_OF_SCOPE = "out of scope"
    STATUS = "status"
    VERIFICATION = "verification"
    ORDER = "order"
    TASKS = "tasks"
    APPROACH = "approach"
    ASIDE = "notes"
    CONTEXT = "context"
    GOAL = "goal"


HOLDS_TASKS = frozenset({Role.ORDER, Role.TASKS})
NEVER_TASKS = frozenset(Role) - HOLDS_TASKS - {Role.APPROACH}

_WORDS = {
    Role.OUT_OF_SCOPE: words.OUT_OF_SCOPE,
    Role.STATUS: words.STATUS,
    Role.VERIFICATION: words.VERIFY,
    Role.ORDER: words.ORDER,
    Role.TASKS: words.CONTAINER,
    Role.APPROACH: words.APPROACH,
    Role.ASIDE: words.ASIDE,
    Role.CONTEXT: words.CONTEXT,
    Role.GOAL: words.GOAL,
}
_KINDS = [(role.value, words.any_of(_WORDS[role])) for role in Role]
_DONE = words.any_of(words.DONE, whole=True)
_LATER = words.any_of(words.LATER, whole=True)
_TICK = re.compile(r"^\W*[✅☑✔]|\[[xX]\]|[✅☑✔]\s*$")
MARK = re.compile(r"\s*\[(?:P|INDEPENDENT|PARALLEL)\]\s*", re.IGNORECASE)
_SIGNED = re.compile(r"\s*[—\u2013·-]?\s*[✅☑✔]\ufe0f?\s*(?:\*\*)?[\w ]{0,20}(?:\*\*)?$")
_STRUCK = re.compile(r"^\s*(?:\[[ xX]\]\s*)?~~.*~~\W*$")
_ASIDE_MARK = re.compile(r"[(（\[·|—\u2013✅-]\s*([^()（）\[\]·|—\u2013]*?)[)）\]\s]*$")


@lru_cache(maxsize=4096)
def role(heading: str) -> Role | None:
    """Tell what the section under *heading* is for; None where the heading does not say."""
    label = labels.read(heading)
    if label and label.rank is Rank.NEVER:
        return Role.ASIDE
    text = label.title if label and not label.word else heading
    found = words.first_of(text, _KINDS)
    return Role(found) if found else None


def without_status(title: str) -> str:
    """Take marks, and a sign that the work is done with what follows it, off a title."""
    return _SIGNED.sub("", MARK.sub(" ", title).strip()) or title


def is_done(text: str) -> bool:
    """Tell whether a heading, item or cell says of itself that its work is done."""
    line = text.split("\n", 1)[0]
    return bool(_TICK.search(line) or _STRUCK.match(line)) or _says(line, _DONE)


def is_deferred(text: str) -> bool:
    """Tell whether a heading or item says of itself that it is put off or dropped."""
    return _says(text.split("\n", 1)[0], _LATER)


def _says(line: str, known: re.Pattern[str]) -> bool:
    """A status stands last, behind a dash or in brackets; in the middle a word is only a word."""
    found = _ASIDE_MARK.search(line.strip(" *_~"))
    return bool(found and known.match(found[1].strip(" *_~✅")))
