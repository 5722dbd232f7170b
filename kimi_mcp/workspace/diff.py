"""A diff to be read, from refs in the user's repository, so that it outlives the run folder.

What does not fit is left out by whole files, and named.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kimi_mcp.workspace import git

_FORM = (
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-renames",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """Text of a diff within a limit; what is not UTF-8 is shown as a replacement character."""

    text: str
    left_out: tuple[str, ...]
    """Headers (`a/x b/x`) of the files that did not fit."""


def diff(
    git_dir: Path, base: str, commit: str, *, paths: Sequence[str] = (), limit_bytes: int
) -> Diff:
    """Show what changed from *base* to *commit*, in *paths* only when there are any.

    *git_dir* is the user's common directory or a ledger's. A path names a file or a folder exactly.
    """
    output = _compared(git_dir, ["-p"], base, commit, paths)
    shown: list[bytes] = []
    left_out: list[str] = []
    room_bytes = limit_bytes
    for section in re.split(rb"^(?=diff --git )", output, flags=re.MULTILINE):
        if len(section) <= room_bytes:
            shown.append(section)
            room_bytes -= len(section)
        else:
            head = section.partition(b"\n")[0].removeprefix(b"diff --git ")
            left_out.append(head.decode("utf-8", "replace"))
    return Diff(text=b"".join(shown).decode("utf-8", "replace"), left_out=tuple(left_out))


def _compared(
    git_dir: Path, options: Sequence[str], base: str, commit: str, paths: Sequence[str]
) -> bytes:
    return git.run(
        ["diff-tree", "-r", *options, *_FORM, base, commit, "--", *paths],
        git_dir=git_dir,
        env={"GIT_LITERAL_PATHSPECS": "1"},
    )
