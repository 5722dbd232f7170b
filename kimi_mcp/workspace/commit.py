"""What Kimi left in a clone becomes a commit in our ledger.

The ignore rules are those of the *base*, never the clone's: a `.gitignore` that Kimi wrote hides
nothing. Git is given a list of plain files to store (`survey`), so it never looks into a nested
repository; such a one is committed as the plain files it consists of. Attributes of the clone do
count (line endings), which is safe because the ledger knows no filter that they could name.
"""

import os
import tempfile
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from kimi_mcp.workspace import git
from kimi_mcp.workspace.clone import Ledger
from kimi_mcp.workspace.survey import Skipped, Survey, survey

WORKER_NAME = "Kimi"
WORKER_EMAIL = "kimi@kimi-mcp.invalid"

_SUBMODULE = "160000"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A task's work as a commit; with nothing new, `commit` is the parent."""

    commit: str
    changes: tuple[Change, ...]
    """All changes since the base; empty means that nothing was done."""
    in_submodules: tuple[str, ...]
    """Paths inside submodules of the base: not committed, no branch here can hold them."""
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
    first attempt the base). *named* are the spec's exact paths: they are stored even when ignored.

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
        commit = commit_tree(ledger, tree, parents=[parent], message=message, by_worker=True)
    return Attempt(
        commit=commit,
        changes=changes_between(ledger, base, commit),
        in_submodules=tuple(sorted(found.in_submodules)),
        skipped=tuple(sorted(found.skipped)),
    )


def tree_of(ledger: Ledger, commit: str) -> str:
    """Return the tree of a commit."""
    question = ["rev-parse", "--verify", f"{commit}^{{tree}}"]
    return git.line(git.run(question, git_dir=ledger.git_dir))


def commit_tree(
    ledger: Ledger, tree: str, *, parents: Sequence[str], message: str, by_worker: bool
) -> str:
    """Write a commit; the user is committer, and author too unless the worker made it."""
    author = {"GIT_AUTHOR_NAME": WORKER_NAME, "GIT_AUTHOR_EMAIL": WORKER_EMAIL}
    args = ["commit-tree", tree, *(part for parent in parents for part in ("-p", parent))]
    output = git.run(
        [*args, "-F", "-"],
        git_dir=ledger.git_dir,
        stdin=message.encode("utf-8", "replace"),
        env=author if by_worker else None,
    )
    return git.line(output)


def changes_between(ledger: Ledger, base: str, commit: str) -> tuple[Change, ...]:
    """Tell what differs between two commits, by path; a rename is a deletion and an addition."""
    if base == commit:
        return ()
    options = ["-r", "-z", "--raw", "--numstat", "--no-renames", "--no-ext-diff", "--no-textconv"]
    fields = git.listed(git.run(["diff-tree", *options, base, commit], git_dir=ledger.git_dir))
    raw: list[tuple[str, str]] = []
    counts: dict[str, tuple[int | None, int | None]] = {}
    entries = iter(fields)
    for entry in entries:
        if entry.startswith(":"):
            raw.append((entry, next(entries)))
        else:
            added, deleted, path = entry.split("\t", 2)
            counts[path] = (_count(added), _count(deleted))
    targets = _link_targets(ledger, raw)
    return tuple(
        Change(
            status=status,
            path=path,
            mode_before=before,
            mode_after=after,
            added=counts.get(path, (None, None))[0],
            deleted=counts.get(path, (None, None))[1],
            target=targets.get(blob) if after == _LINK else None,
        )
        for (before, after, _, blob, status), path in (
            (entry[1:].split(" "), path) for entry, path in raw
        )
    )


def contents(ledger: Ledger, blobs: Sequence[str]) -> list[bytes]:
    """Read blobs by their names, in order."""
    if not blobs:
        return []
    request = "".join(f"{blob}\n" for blob in blobs).encode("ascii")
    output = git.run(["cat-file", "--batch"], git_dir=ledger.git_dir, stdin=request)
    texts: list[bytes] = []
    position = 0
    for _ in blobs:
        end_of_head = output.index(b"\n", position)
        size = int(output[position:end_of_head].rsplit(b" ", 1)[1])
        position = end_of_head + 1 + size + 1
        texts.append(output[end_of_head + 1 : position - 1])
    return texts


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
        rules = _BaseRules(ledger, base, Path(shadow))
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


class _BaseRules:
    """The base's ignore rules, asked in a folder that holds nothing but its `.gitignore` files."""

    def __init__(self, ledger: Ledger, base: str, shadow: Path) -> None:
        self._ledger = ledger
        self._base = base
        self._shadow = shadow
        self._is_laid = False

    def hidden(self, files: list[str], folders: list[str]) -> set[str]:
        """Tell which of these files and folders the rules hide."""
        self._lay()
        for folder in folders:  # git matches `name/` only against a folder that it can see
            _make_folder(self._shadow / folder)
        question = ["check-ignore", "--no-index", "-z", "--stdin"]
        answer = git.ask(
            question,
            git_dir=self._ledger.git_dir,
            work_tree=self._shadow,
            stdin=git.joined([f"./{path}" for path in (*files, *folders)]),  # `:` would be magic
        )
        if answer.exit_code > 1:  # 1 means that nothing is hidden
            raise git.failure(question, answer)
        return {path.removeprefix("./") for path in git.listed(answer.stdout)}

    def _lay(self) -> None:
        if self._is_laid:
            return
        self._is_laid = True
        output = git.run(["ls-tree", "-r", "-z", self._base], git_dir=self._ledger.git_dir)
        blobs: dict[str, str] = {}
        for entry in git.listed(output):
            head, _, path = entry.partition("\t")
            mode, _, blob = head.split(" ")
            if mode.startswith("100") and PurePosixPath(path).name == ".gitignore":
                blobs[path] = blob
        texts = contents(self._ledger, list(blobs.values()))
        for path, text in zip(blobs, texts, strict=True):
            place = self._shadow / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):  # Kimi made a folder named .gitignore
        return


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


def _link_targets(ledger: Ledger, raw: Iterable[tuple[str, str]]) -> dict[str, str]:
    links = [entry.split(" ")[3] for entry, _ in raw if entry.split(" ")[1] == _LINK]
    texts = contents(ledger, links)
    return {blob: os.fsdecode(text) for blob, text in zip(links, texts, strict=True)}


def _count(text: str) -> int | None:
    return None if text == "-" else int(text)
