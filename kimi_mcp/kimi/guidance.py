"""The project's own instructions for agents, for a repository that has only `CLAUDE.md`.

Kimi reads `AGENTS.md` and never `CLAUDE.md` (both dialects, ran). Where the repository has only the
latter, its text goes into the task's Kimi home, with its `@file` imports resolved where one stands
alone on its line, also as an item of a list.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from kimi_mcp.kimi import code

LIMIT_BYTES = 32_768  # Kimi Code warns beyond that
IMPORT_DEPTH = 5  # as deep as Claude Code follows

_IMPORT = re.compile(r"\s*(?:[-*]\s+)?@(?P<path>[^\s`]+)\s*")


def project_guidance(root: Path, *, read: Iterable[str] = code.DIALECT.guidance) -> str | None:
    """Return what Kimi must be told of the repository at *root*, if anything.

    Nothing when the repository has one of the files that Kimi will *read* by itself.

    Each file is imported once. Imports that leave the repository or do not exist stay as they are
    written.
    """
    if any((root / name).exists() for name in read):
        return None
    base = root.resolve()
    source = base / "CLAUDE.md"
    text = _text(source, base=base)
    if text is None:
        return None
    whole = bytearray()
    for line in _lines(text, folder=base, base=base, depth=IMPORT_DEPTH, seen={source.resolve()}):
        whole += line.encode()
        if len(whole) >= LIMIT_BYTES:
            break
    return whole[:LIMIT_BYTES].decode(errors="ignore")


def _lines(text: str, *, folder: Path, base: Path, depth: int, seen: set[Path]) -> Iterator[str]:
    for line in text.splitlines(keepends=True):
        found = _IMPORT.fullmatch(line)
        target = folder / found["path"] if found and depth else None
        content = _text(target, base=base) if target else None
        if target is None or content is None:
            yield line
        elif target.resolve() not in seen:
            seen.add(target.resolve())
            yield from _lines(content, folder=target.parent, base=base, depth=depth - 1, seen=seen)
            yield "" if content.endswith("\n") else "\n"


def _text(path: Path, *, base: Path) -> str | None:
    try:
        real = path.resolve(strict=True)
        if not real.is_relative_to(base) or not real.is_file():
            return None
        with real.open("rb") as file:
            return file.read(LIMIT_BYTES).decode(errors="replace")
    except (OSError, RuntimeError, ValueError):  # the latter two: a loop of links, a NUL in a name
        return None
