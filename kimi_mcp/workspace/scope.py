"""Which changes a spec allows: a pure judgment over what changed. Paths are compared exactly."""

from collections.abc import Collection, Iterable, Sequence
from posixpath import dirname, normpath
from typing import Literal, NamedTuple, Protocol

from kimi_mcp import globs
from kimi_mcp.quoting.quotes import quoted
from kimi_mcp.workspace.generated import is_generated

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


def strays(changes: Sequence[Changed], allowed: Collection[Allowed]) -> tuple[Stray, ...]:
    """Name every change that is not allowed, in the order of *changes*.

    What a tool writes by rule when an allowed file changes is allowed with it (`generated`).
    """
    changed = [change.path for change in changes]

    def is_allowed(path: str) -> bool:
        return bool({"A", "M"} & _permitted(path, allowed))

    def objection(change: Changed) -> str | None:
        reason = _objection(change, allowed)
        is_made = reason == _NOT_LISTED and change.status in "AM"
        if is_made and is_generated(change.path, changed=changed, is_allowed=is_allowed):
            return None
        return reason

    judged = ((change.path, objection(change)) for change in changes)
    return tuple(Stray(path, reason) for path, reason in judged if reason is not None)


def can_be_allowed(reason: str) -> bool:
    """Tell whether a stray of this *reason* may be allowed: no branch can hold what may not."""
    return not reason.startswith(_FINAL)


def exact_paths(allowed: Iterable[Allowed]) -> tuple[str, ...]:
    """Name the paths that the spec spells out for writing: they are kept even when ignored."""
    written = (entry for entry in allowed if entry.operation != "READ")
    paths = (path for entry in written for path in (entry.pattern, entry.target) if path)
    return tuple(path for path in paths if not globs.is_glob(path))


TARGET_CHARS = 120
_PERMITS: dict[str, str] = {"READ": "", "CREATE": "AM", "MODIFY": "M", "DELETE": "D"}

_SUBMODULE_MADE = "became a submodule"
_LEAVES = "is a link that leaves the repository"
IN_SUBMODULE = "inside a submodule, where no branch of this repository can hold it"
_FINAL = (_SUBMODULE_MADE, _LEAVES, IN_SUBMODULE)
_NOT_LISTED = "not in the spec's files"
_REASONS = {
    "A": "created, which the spec does not allow",
    "M": "changed, which the spec does not allow",
    "D": "deleted, which the spec does not allow",
    "T": "became another kind of file",
}


def _objection(change: Changed, allowed: Collection[Allowed]) -> str | None:
    if change.mode_after == SUBMODULE_MODE:
        return _SUBMODULE_MADE
    if change.target is not None and _leaves(change.path, change.target):
        return f"{_LEAVES}: {quoted(change.target, limit=TARGET_CHARS)}"
    if change.status in _permitted(change.path, allowed):
        return None
    is_named = any(
        globs.matches(pattern, change.path)
        for entry in allowed
        for pattern, _ in _permissions(entry)
    )
    return _REASONS[change.status] if is_named else _NOT_LISTED


def _permitted(path: str, allowed: Collection[Allowed]) -> set[str]:
    """Return what may be done to *path*, as the letters of git's statuses."""
    return {
        status
        for entry in allowed
        for pattern, statuses in _permissions(entry)
        if globs.matches(pattern, path)
        for status in statuses
    }


def _permissions(entry: Allowed) -> Sequence[tuple[str, str]]:
    if entry.operation == "MOVE":
        return [(entry.pattern, "D"), (entry.target or "", "AM")]
    return [(entry.pattern, _PERMITS[entry.operation])]


def _leaves(path: str, target: str) -> bool:
    reached = normpath(f"{dirname(path)}/{target}" if dirname(path) else target)
    return target.startswith("/") or reached == ".." or reached.startswith("../")
