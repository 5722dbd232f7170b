"""Random texts that a regular expression matches: what a detector's rules would find."""

import random
import re
from importlib import import_module
from typing import Any

c: Any = import_module("re._constants")
parser: Any = import_module("re._parser")

_MORE = 6  # of what may be repeated without end
_CLASSES: dict[Any, str] = {
    c.CATEGORY_DIGIT: "0123456789",
    c.CATEGORY_WORD: "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_",
    c.CATEGORY_SPACE: " ",
}
_PRINTABLE = [chr(code) for code in range(33, 127)]


def sample(pattern: str, chance: random.Random) -> str | None:
    """Make a text that *pattern* should match; None where Python cannot read the pattern."""
    flags = "(?i)" if "(?i)" in pattern else ""
    try:
        tree: Any = parser.parse(flags + pattern.replace("(?i)", ""))
        return "".join(_made(operation, value, chance) for operation, value in tree)
    except (re.error, KeyError):
        return None


def _made(operation: Any, value: Any, chance: random.Random) -> str:
    match operation:
        case c.LITERAL:
            return chr(value)
        case c.NOT_LITERAL | c.ANY:
            return "x"
        case c.IN:
            return chance.choice(_members(value))
        case c.MAX_REPEAT | c.MIN_REPEAT | c.POSSESSIVE_REPEAT:
            least, most, inner = value
            count = chance.randint(least, min(most, least + _MORE))
            return "".join(_all(inner, chance) for _ in range(count))
        case c.SUBPATTERN | c.ATOMIC_GROUP:
            return _all(value[-1] if operation is c.SUBPATTERN else value, chance)
        case c.BRANCH:
            return _all(chance.choice(value[1]), chance)
        case _:
            return ""  # anchors and what only looks around


def _all(tree: Any, chance: random.Random) -> str:
    return "".join(_made(operation, value, chance) for operation, value in tree)


def _members(items: Any) -> list[str]:
    is_negated = items[0][0] is c.NEGATE
    found: set[str] = set()
    for operation, value in items[1:] if is_negated else items:
        if operation is c.LITERAL:
            found.add(chr(value))
        elif operation is c.RANGE:
            found.update(map(chr, range(value[0], value[1] + 1)))
        elif operation is c.CATEGORY:
            found.update(_CLASSES[value])
    return [one for one in _PRINTABLE if one not in found] if is_negated else sorted(found)
