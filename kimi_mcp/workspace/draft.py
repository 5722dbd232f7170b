"""What a checkout of the user's is to become when Kimi's work comes in. Nothing is changed yet.

What the user has not committed and the work touches is part of "what is there now": so work that
is there already changes nothing, and work that began from it can be put together with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kimi_mcp.errors import Refused
from kimi_mcp.quoting.quotes import named
from kimi_mcp.workspace.checkout import tree_with_files
from kimi_mcp.workspace.merge import Conflict
from kimi_mcp.workspace.repository import Repository, dirty_files, files_at
from kimi_mcp.workspace.stamps import Stamp
from kimi_mcp.workspace.swap import state_of
from kimi_mcp.workspace.threeway import differing, submodules_in, threeway

NAMED_FILES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What is to be landed: all that *commit* changed since *base*."""

    base: str
    commit: str
    name: str
    """How a person may call the commit: its branch or id."""
    kept_ref: str
    """Where the user's version of files is kept that the work is put together with."""
    is_on_snapshot: bool = False
    """Whether the base holds uncommitted files of the user's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What the work tree is to become in the paths of the work, and what it is there now."""

    ours: str
    """The tree as it is, in what the work touches."""
    merged: str
    paths: list[str]
    stamps: Mapping[str, Stamp | None]
    users: frozenset[str]
    """Those of the paths that have uncommitted changes of the user's."""
    submodules: frozenset[str]


def drafted(checkout: Repository, work: Work, head: str) -> Draft:
    """Put the work together with what lies in the checkout, whose branch is at *head*.

    Raises:
        Refused: both changed the same places, or the user has uncommitted changes there.
    """
    git_dir, root = checkout.git_dir, checkout.root
    touched = differing(git_dir, work.base, work.commit)
    stamps = {path: state_of(root / path) for path in touched}
    tracked = frozenset(files_at(checkout, head))
    dirty = frozenset(dirty_files(checkout))
    unheld = {path for path in touched if path not in tracked and stamps[path] is not None}
    users = frozenset(touched) & (dirty | unheld)
    _check_reachable(checkout, users)
    ours = tree_with_files(checkout, head, users)
    merged = threeway(git_dir, base=work.base, ours=ours, theirs=work.commit)
    if isinstance(merged, Conflict):
        if mine := sorted(set(merged.files) & users):
            raise _uncommitted(mine, checkout, "Both sides changed the same places")
        raise clash(merged, work, place=str(root))
    changed = differing(git_dir, ours, merged)
    more = changed.keys() - stamps.keys()  # where git follows the user's renames
    stamps |= {path: state_of(root / path) for path in more}
    if more:
        dirty |= frozenset(dirty_files(checkout))
    blocking = sorted((dirty & more) | {path for path in more if _is_unheld(path, tracked, stamps)})
    if not work.is_on_snapshot:
        blocking += sorted(users & changed.keys())
    if blocking:
        raise _uncommitted(blocking, checkout, "The work changes them too")
    linked = (submodules_in(git_dir, ours) | submodules_in(git_dir, merged)) & changed.keys()
    paths = sorted(changed.keys() - linked)
    return Draft(
        ours=ours,
        merged=merged,
        paths=paths,
        stamps=stamps,
        users=users & changed.keys(),
        submodules=frozenset(linked),
    )


def _is_unheld(path: str, tracked: frozenset[str], stamps: Mapping[str, Stamp | None]) -> bool:
    return path not in tracked and stamps[path] is not None


def _check_reachable(checkout: Repository, paths: frozenset[str]) -> None:
    for path in paths:
        for folder in Path(path).parents:
            if (checkout.root / folder).is_symlink():
                raise _uncommitted([path], checkout, f"{folder} is a symbolic link now")


def _uncommitted(paths: list[str], checkout: Repository, why: str) -> Refused:
    return Refused(
        f"There are uncommitted changes in {checkout.root} in "
        f"{named(paths, most=NAMED_FILES)}. {why}. "
        "Nothing was changed. Commit or stash them, then retry."
    )


def clash(found: Conflict, work: Work, *, place: str) -> Refused:
    """Say that work and place do not go together, for raising."""
    return Refused(
        f"The work conflicts with {place} in {named(found.files, most=NAMED_FILES)}: "
        "both changed the same places. Nothing was changed. Settle it by hand with "
        f"`git merge {work.name}`, or dispatch the spec again from there."
    )
