"""Token budgets are counted in o200k, whose vocabulary the wheel of `bpe-openai` holds."""

from functools import cache

import bpe_openai  # pyright: ignore[reportMissingTypeStubs]  # it has none


def tokens(text: str) -> int:
    """Return how many tokens *text* costs."""
    return len(_encoding().encode(text))


@cache
def _encoding() -> bpe_openai.Encoding:
    return bpe_openai.get_encoding("o200k_base")  # a second to load
