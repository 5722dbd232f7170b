"""Taking from a text what a terminal obeys, a reader cannot see, or looks like our lines. Pure."""

import re
import unicodedata

_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_SMUGGLERS = range(0xE0000, 0xE1000)  # tags and variation selectors: text that only models read
_ESCAPE_SEQUENCE = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])"
)
#: What looks like a line of an envelope of ours; a page's own `<data-table>` does not.
_LOOKALIKE = re.compile(r"(?i)<(?=\s*/?\s*data-\d)")


def harmless(text: str) -> str:
    """Take out colours and cursor movements, and make other control characters visible.

    The `<` of what looks like our envelope's lines becomes another sign.
    """
    plain = _ESCAPE_SEQUENCE.sub("", text).replace("\r\n", "\n")
    plain = _LOOKALIKE.sub("\u2039", plain)
    if plain.isascii() and plain.replace("\n", "").replace("\t", "").isprintable():
        return plain  # as most texts are
    return "".join(map(_seen, plain))


def _seen(letter: str) -> str:
    is_unseen = unicodedata.category(letter) in _UNSEEN or ord(letter) in _SMUGGLERS
    if letter in "\n\t" or not is_unseen:
        return letter
    return letter.encode("unicode_escape").decode("ascii")
