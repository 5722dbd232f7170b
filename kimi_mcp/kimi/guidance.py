"""The project's own instructions for agents, for a repository that has only `CLAUDE.md`.

Kimi Code reads `AGENTS.md` and never `CLAUDE.md` (2.1.0, ran). Where the repository has only the
latter, its text goes into the task's Kimi home as `AGENTS.md`, with its `@file` imports resolved.
"""

import re
from pathlib import Path

LIMIT_BYTES = 32_768  # Kimi Code warns beyond that
IMPORT_DEPTH = 5  # as deep as Claude Code follows

_IMPORT = re.compile(r"(?m)^@(?P<path>[^\s`]+)\s*$")


def project_guidance(root: Path) -> str | None:
    """Return what the home's `AGENTS.md` should say for the repository at *root*, if anything.

    Imports that leave the repository or do not exist stay as they are written.
    """
    if any((root / name).exists() for name in ("AGENTS.md", "agents.md")):
        return None
    base = root.resolve()
    source = base / "CLAUDE.md"
    text = _text(source, base=base)
    if text is None:
        return None
    whole = _resolve(text, folder=base, base=base, depth=IMPORT_DEPTH)
    return whole.encode()[:LIMIT_BYTES].decode(errors="ignore")


def _resolve(text: str, *, folder: Path, base: Path, depth: int) -> str:
    def imported(found: re.Match[str]) -> str:
        target = folder / found["path"]
        content = _text(target, base=base) if depth else None
        if content is None:
            return found[0]
        return _resolve(content, folder=target.parent, base=base, depth=depth - 1)

    return _IMPORT.sub(imported, text)


def _text(path: Path, *, base: Path) -> str | None:
    try:
        if not path.resolve(strict=True).is_relative_to(base):
            return None
        with path.open("rb") as file:
            return file.read(LIMIT_BYTES).decode(errors="replace")
    except OSError:
        return None
