"""What Kimi left in a clone becomes a commit in our ledger.

The ignore rules are those of the *base*, never the clone's: a `.gitignore` that Kimi wrote hides
nothing. Git is given a list of plain files to store (`survey`), so it never looks into a nested
repository; such a one is committed as the plain files it consists of. Attributes of the clone do
count (line endings), which is safe because the ledger knows no filter that they could name.
"""

import tempfile
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from kimi_mcp.workspace import git
from kimi_mcp.workspace.changes import Change, changes_between
from kimi_mcp.workspace.clone import Ledger, submodule_record
from kimi_mcp.workspace.ignore import BaseRules
from kimi_mcp.workspace.objects import commit_tree, is_ancestor, tree_of
from kimi_mcp.workspace.submodules import touched
from kimi_mcp.workspace.survey import Skipped, Survey, survey

_SUBMODULE = "160000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A task's work as a commit; with nothing new, `commit` is the parent."""

    commit: str
    changes: tuple[Change, ...]
    """All changes since the base; empty means that nothing was done."""
    in_submodules: tuple[str, ...]
    """What was touched inside submodules of the base: not committed, no branch here can hold it."""
    skipped: tuple[Skipped, ...]


def commit_work(
    ledger: Ledger,
    *,
    clone: Path,
    index: Path,
    base: str,
    parent: str,
    named: Iterable[str],
    message: str,
) -> Attempt:
    """Store what the clone holds as a commit on *parent* and tell what changed since *base*.

    *base* is the commit that the task began from, *parent* the newest commit of the task (in a
    first attempt the base). A base that the parent does not contain has been merged into the clone
    since, and becomes a second parent. *named* are the spec's exact paths: they are stored even
    when ignored.

    Raises:
        Refused: the clone is gone.
        GitFailed: git cannot store the work; the clone still holds it.
    """
    # Only this task writes this index: a lock is what a killed git of an earlier runner left.
    index.with_name(f"{index.name}.lock").unlink(missing_ok=True)
    found, tracked = _survey(ledger, clone=clone, index=index, base=base, named=named)
    _store(ledger, found, tracked, clone=clone, index=index)
    tree = git.line(git.run(["write-tree"], git_dir=ledger.git_dir, index=index))
    commit = parent
    if tree != tree_of(ledger, parent):
        parents = [parent] if is_ancestor(ledger, base, parent) else [parent, base]
        commit = commit_tree(ledger, tree, parents=parents, message=message, by_worker=True)
    return Attempt(
        commit=commit,
        changes=changes_between(ledger, base, commit),
        in_submodules=touched(submodule_record(index), found.in_submodules, clone=clone),
        skipped=tuple(sorted(found.skipped)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tracked:
    files: frozenset[str]
    submodules: frozenset[str]
    left_out: frozenset[str]
    """Outside the sparse patterns: not in the clone, and not deleted either."""


def _survey(
    ledger: Ledger, *, clone: Path, index: Path, base: str, named: Iterable[str]
) -> tuple[Survey, _Tracked]:
    tracked = _tracked(ledger, index)
    with tempfile.TemporaryDirectory(dir=index.parent, prefix="ignore.") as shadow:
        rules = BaseRules(ledger, base, Path(shadow))
        found = survey(
            clone,
            tracked=tracked.files,
            submodules=tracked.submodules,
            named=named,
            ignored=rules.hidden,
        )
    return found, tracked


def _tracked(ledger: Ledger, index: Path) -> _Tracked:
    output = git.run(["ls-files", "-t", "-s", "-z"], git_dir=ledger.git_dir, index=index)
    entries = [entry.partition("\t") for entry in git.listed(output)]
    modes = {path: head.split(" ")[:2] for head, _, path in entries}
    submodules = frozenset(path for path, (_, mode) in modes.items() if mode == _SUBMODULE)
    return _Tracked(
        files=frozenset(modes) - submodules,
        submodules=submodules,
        left_out=frozenset(path for path, (tag, _) in modes.items() if tag == "S"),
    )


def _store(ledger: Ledger, found: Survey, tracked: _Tracked, *, clone: Path, index: Path) -> None:
    kept = {*found.present, *tracked.left_out, *found.unread}
    unread = tuple(f"{path}/".lstrip("/") for path in found.unread)
    gone = [path for path in tracked.files if path not in kept and not path.startswith(unread)]
    if gone:
        _update_index(ledger, ["--force-remove"], gone, clone=clone, index=index)
    _update_index(
        ledger, ["--add", "--replace"], [*found.present, *found.new], clone=clone, index=index
    )


def _update_index(
    ledger: Ledger, options: Sequence[str], paths: Collection[str], *, clone: Path, index: Path
) -> None:
    git.run(
        ["update-index", *options, "-z", "--stdin"],
        git_dir=ledger.git_dir,
        work_tree=clone,
        index=index,
        stdin=git.joined(paths),
    )
