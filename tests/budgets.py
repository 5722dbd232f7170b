"""How many tokens a text costs, about: o200k itself would have to be downloaded."""

import re

_PIECE = re.compile(r" ?[^\W\d_]+|\d{1,3}|_+|[^\w\s]{1,2}|\s{2,}|\n")
_LETTERS = 7  # of a word that is one token; most words of English are


def tokens(text: str) -> int:
    """Estimate the tokens of *text* in o200k, rather too many than too few."""
    return sum(1 + (len(piece.strip()) - 1) // _LETTERS for piece in _PIECE.findall(text))
