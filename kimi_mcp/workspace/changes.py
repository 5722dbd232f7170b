"""What differs between two commits of a ledger, file by file."""

import os
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from kimi_mcp.workspace import git
from kimi_mcp.workspace.clone import Ledger
from kimi_mcp.workspace.objects import contents, sizes

_LINK = "120000"
_SUBMODULE = "160000"
_ABSENT = "000000"


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
    renamed_from: str | None = field(default=None, compare=False)
    """The deleted path whose content it has, as far as git sees it."""
    size_bytes: int = field(default=0, compare=False)
    """Of the content as it is now; of a deleted file what it was."""
    blob_before: str | None = field(default=None, compare=False)
    """The name of the content, where there is one; the same for what is there now."""
    blob_after: str | None = field(default=None, compare=False)


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
    blobs = {
        path: (_blob(before, old), _blob(after, new)) for (before, after, old, new, _), path in raw
    }
    measured = sizes(ledger, [after or before for before, after in blobs.values()])
    renamed = _renames(ledger, base, commit, [facts[-1] for facts, _ in raw])
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
            size_bytes=size_bytes or 0,
            renamed_from=renamed.get(path),
            blob_before=blobs[path][0],
            blob_after=blobs[path][1],
        )
        for ((before, after, _, blob, status), path), size_bytes in zip(raw, measured, strict=True)
    )


def texts(
    ledger: Ledger, changes: Sequence[Change], *, limit_bytes: int
) -> list[tuple[str | None, str | None]]:
    """Read changed files before and after, in order.

    None where there is no file, or no text, or one of more than *limit_bytes*.
    """
    blobs = [blob for change in changes for blob in (change.blob_before, change.blob_after)]
    measured = sizes(ledger, blobs)
    read = [
        blob if blob and size_bytes is not None and size_bytes <= limit_bytes else None
        for blob, size_bytes in zip(blobs, measured, strict=True)
    ]
    found = iter(contents(ledger, [blob for blob in read if blob]))
    told = [_text(next(found)) if blob else None for blob in read]
    return list(zip(told[::2], told[1::2], strict=True))


def _renames(
    ledger: Ledger, base: str, commit: str, statuses: Collection[str]
) -> Mapping[str, str]:
    """Map new paths to the old ones whose content they have, as far as git sees it."""
    if not {"A", "D"} <= {*statuses}:
        return {}
    options = ["-r", "-z", "--raw", "-M", "--diff-filter=R", "--no-ext-diff", "--no-textconv"]
    fields = git.listed(git.run(["diff-tree", *options, base, commit], git_dir=ledger.git_dir))
    return dict(zip(fields[2::3], fields[1::3], strict=True))


def _text(content: bytes) -> str | None:
    return None if b"\0" in content else content.decode("utf-8", "replace")


def _blob(mode: str, name: str) -> str | None:
    return None if mode in {_ABSENT, _SUBMODULE} else name


def _count(text: str) -> int | None:
    return None if text == "-" else int(text)
