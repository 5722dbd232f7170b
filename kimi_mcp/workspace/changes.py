"""What differs between two commits of a ledger, file by file."""

import os
from dataclasses import dataclass

from kimi_mcp.workspace import git
from kimi_mcp.workspace.clone import Ledger
from kimi_mcp.workspace.objects import contents

_LINK = "120000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One path that differs between the base and the attempt."""

    status: str
    """`A` added, `M` changed, `D` deleted, `T` became another kind of thing."""
    path: str
    mode_before: str
    mode_after: str
    added: int | None
    """Lines; None when the content is binary."""
    deleted: int | None
    target: str | None = None
    """Where a symbolic link points that is there now."""


def changes_between(ledger: Ledger, base: str, commit: str) -> tuple[Change, ...]:
    """Tell what differs between two commits, by path; a rename is a deletion and an addition."""
    if base == commit:
        return ()
    options = ["-r", "-z", "--raw", "--numstat", "--no-renames", "--no-ext-diff", "--no-textconv"]
    fields = git.listed(git.run(["diff-tree", *options, base, commit], git_dir=ledger.git_dir))
    raw: list[tuple[list[str], str]] = []
    counts: dict[str, tuple[int | None, int | None]] = {}
    entries = iter(fields)
    for entry in entries:
        if entry.startswith(":"):
            raw.append((entry[1:].split(" "), next(entries)))
        else:
            added, deleted, path = entry.split("\t", 2)
            counts[path] = (_count(added), _count(deleted))
    links = [blob for (_, after, _, blob, _), _ in raw if after == _LINK]
    targets = dict(zip(links, contents(ledger, links), strict=True))
    return tuple(
        Change(
            status=status,
            path=path,
            mode_before=before,
            mode_after=after,
            added=counts[path][0],
            deleted=counts[path][1],
            target=os.fsdecode(targets[blob]) if after == _LINK else None,
        )
        for (before, after, _, blob, status), path in raw
    )


def _count(text: str) -> int | None:
    return None if text == "-" else int(text)
