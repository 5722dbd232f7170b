"""Worker-made text as data: what Kimi, its files and its commands said, set apart from our words.

Pure. Readers of our replies have tools of their own, so nothing a worker wrote may look like ours:
it stands in a fence that it cannot close, with control characters made visible and its length said.
"""

import re
import unicodedata

_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_SMUGGLERS = range(0xE0000, 0xE1000)  # tags and variation selectors: text that only models read
_ESCAPE_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])"
)
_FENCE = re.compile(r"`{3,}")


def harmless(text: str) -> str:
    """Take out colours and cursor movements, and make other control characters visible."""
    plain = _ESCAPE_SEQUENCE.sub("", text).replace("\r\n", "\n")
    return "".join(map(_seen, plain))


def inline(text: str, *, limit: int) -> str:
    """Put *text* on one line of at most *limit* characters."""
    line = harmless(" ".join(text.split()))
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def fenced(text: str, *, kind: str = "") -> str:
    """Put *text* into a fence that is longer than any within it."""
    body = harmless(text).rstrip("\n")
    longest = max((len(found) for found in _FENCE.findall(body)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{kind}\n{body}\n{fence}"


def tail(text: str, *, limit: int) -> str:
    """Keep the last *limit* characters, from a line's beginning, and say how much was left out."""
    if len(text) <= limit:
        return text
    kept = text[-limit:].split("\n", 1)[-1]
    return f"[{len(text) - len(kept)} characters before this left out]\n{kept}"


def _seen(letter: str) -> str:
    is_unseen = unicodedata.category(letter) in _UNSEEN or ord(letter) in _SMUGGLERS
    if letter in "\n\t" or not is_unseen:
        return letter
    return letter.encode("unicode_escape").decode("ascii")
