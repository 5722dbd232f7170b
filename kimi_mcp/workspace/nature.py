"""What a changed file is, when it is not simply lines of text. Pure."""

from typing import Protocol

from kimi_mcp.quoting.quotes import quoted

NAME_CHARS = 120
LARGE_BYTES = 1_000_000
_LINK, _SUBMODULE, _EXECUTABLE = "120000", "160000", "100755"
_ABSENT = "000000"


class Changed(Protocol):
    """What is described: `changes.Change` is one."""

    @property
    def status(self) -> str:
        """`A`, `M`, `D` or `T`."""
        ...

    @property
    def mode_before(self) -> str:
        """Git's file mode, six digits."""
        ...

    @property
    def mode_after(self) -> str:
        """The same, now."""
        ...

    @property
    def renamed_from(self) -> str | None:
        """The deleted path whose content it has."""
        ...

    @property
    def added(self) -> int | None:
        """Lines; None when the content is binary."""
        ...

    @property
    def size_bytes(self) -> int:
        """Of the content as it is now; of a deleted file what it was."""
        ...


def nature(change: Changed) -> str | None:
    """Say what *change* is besides its lines: a link, renamed, binary, large; else nothing."""
    told = [*_modes(change)]
    if change.renamed_from is not None:
        told.append(f"renamed from {quoted(change.renamed_from, limit=NAME_CHARS)}")
    if _SUBMODULE in {change.mode_before, change.mode_after}:
        return ", ".join(told)
    if change.added is None:
        told.append(f"binary, {size(change.size_bytes)}")
    elif change.size_bytes >= LARGE_BYTES:
        told.append(size(change.size_bytes))
    return ", ".join(told) or None


def size(count_bytes: int) -> str:
    """Write a size as people do: `34 kB`, `2.1 MB`."""
    if count_bytes < 1000:  # noqa: PLR2004  the unit itself
        return f"{count_bytes} bytes"
    for unit, scale in (("kB", 1e3), ("MB", 1e6)):
        if count_bytes < scale * 1000:
            return f"{count_bytes / scale:.3g} {unit}"
    return f"{count_bytes / 1e9:.3g} GB"


def _modes(change: Changed) -> list[str]:
    before, after = change.mode_before, change.mode_after
    if _SUBMODULE in {before, after}:
        if after == _ABSENT:
            return ["a submodule, removed"]
        return ["a submodule's pointer" if before == after else "made a submodule"]
    if after == _LINK:
        return ["a link" if before in {_ABSENT, _LINK} else "made a link"]
    if before == _LINK:
        return ["was a link"]
    if _EXECUTABLE in {before, after} and before != after:
        if before == _ABSENT:
            return ["executable"]
        if after != _ABSENT:
            return ["made executable" if after == _EXECUTABLE else "no longer executable"]
    return []
