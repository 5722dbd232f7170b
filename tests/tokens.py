"""Token budgets are counted in o200k, whose vocabulary the wheel of `bpe-openai` holds."""

import bpe_openai  # pyright: ignore[reportMissingTypeStubs]  # it has none

_ENCODING = bpe_openai.get_encoding("o200k_base")


def tokens(text: str) -> int:
    """Return how many tokens *text* costs."""
    return len(_ENCODING.encode(text))
