"""The front matter of a plan, read loosely: a line without a key belongs to the key before."""

from collections.abc import Sequence

_MOST_LINES = 200


def front_matter(lines: Sequence[str]) -> tuple[dict[str, str], int]:
    """Give the values by key, and the first line after them; nothing where there are none."""
    if not lines or lines[0].rstrip() != "---":
        return {}, 0
    stop = next(
        (n for n in range(1, min(len(lines), _MOST_LINES)) if lines[n].rstrip() == "---"), None
    )
    if stop is None:
        return {}, 0
    front: dict[str, str] = {}
    key = ""
    for line in lines[1:stop]:
        name, colon, value = line.partition(":")
        if colon and line[:1].isalpha():
            key = name.strip().lower()
            front[key] = value.strip()
        elif key:
            front[key] = f"{front[key]}\n{line.strip()}".strip()
    return front, stop + 1
