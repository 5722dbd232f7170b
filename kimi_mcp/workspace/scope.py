"""Which changes a spec allows: a pure judgment over what changed. Paths are compared exactly."""

from collections.abc import Collection, Iterable, Sequence
from posixpath import dirname, normpath
from typing import Literal, NamedTuple, Protocol

from kimi_mcp import globs

SUBMODULE_MODE = "160000"


class Allowed(NamedTuple):
    """One line of a spec's file list."""

    operation: Literal["READ", "CREATE", "MODIFY", "DELETE", "MOVE"]
    pattern: str
    target: str | None = None
    """Where a MOVE goes to."""


class Changed(Protocol):
    """What is judged: `changes.Change` is one."""

    @property
    def status(self) -> str:
        """`A`, `M`, `D` or `T`."""
        ...

    @property
    def path(self) -> str:
        """Relative to the repository's root."""
        ...

    @property
    def mode_after(self) -> str:
        """Git's file mode, six digits."""
        ...

    @property
    def target(self) -> str | None:
        """Where a symbolic link points."""
        ...


class Stray(NamedTuple):
    """A change that the spec does not allow, and why."""

    path: str
    reason: str


def strays(changes: Iterable[Changed], allowed: Collection[Allowed]) -> tuple[Stray, ...]:
    """Name every change that is not allowed, in the order of *changes*."""
    judged = ((change.path, _objection(change, allowed)) for change in changes)
    return tuple(Stray(path, reason) for path, reason in judged if reason is not None)


def exact_paths(allowed: Iterable[Allowed]) -> tuple[str, ...]:
    """Name the paths that the spec spells out for writing: they are kept even when ignored."""
    written = (entry for entry in allowed if entry.operation != "READ")
    paths = (path for entry in written for path in (entry.pattern, entry.target) if path)
    return tuple(path for path in paths if not globs.is_glob(path))


_PERMITS: dict[str, str] = {"READ": "", "CREATE": "AM", "MODIFY": "M", "DELETE": "D"}

_REASONS = {
    "A": "created, which the spec does not allow",
    "M": "changed, which the spec does not allow",
    "D": "deleted, which the spec does not allow",
    "T": "became another kind of file",
}


def _objection(change: Changed, allowed: Collection[Allowed]) -> str | None:
    if change.mode_after == SUBMODULE_MODE:
        return "became a submodule"
    if change.target is not None and _leaves(change.path, change.target):
        return f"is a link that leaves the repository: {change.target}"
    entries = [line for entry in allowed for line in _permissions(entry)]
    permitted = {
        status
        for pattern, statuses in entries
        if globs.matches(pattern, change.path)
        for status in statuses
    }
    if change.status in permitted:
        return None
    is_named = any(globs.matches(pattern, change.path) for pattern, _ in entries)
    return _REASONS[change.status] if is_named else "not in the spec's files"


def _permissions(entry: Allowed) -> Sequence[tuple[str, str]]:
    if entry.operation == "MOVE":
        return [(entry.pattern, "D"), (entry.target or "", "AM")]
    return [(entry.pattern, _PERMITS[entry.operation])]


def _leaves(path: str, target: str) -> bool:
    reached = normpath(f"{dirname(path)}/{target}" if dirname(path) else target)
    return target.startswith("/") or reached == ".." or reached.startswith("../")
