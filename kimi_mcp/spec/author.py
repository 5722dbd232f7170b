"""What `plan_to_spec` does: a plan, answers, or both become a spec file.

A spec belongs to its source: the plan's file name, else the title. Until it has been dispatched a
further call updates it in place; afterwards it makes a new number from it. How edits survive is in
`merge`. The caller says whether a spec was dispatched by its path from the root, because that stays
the same while its text is edited.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from kimi_mcp import globs
from kimi_mcp.errors import Refused, SpecInvalid
from kimi_mcp.spec import files
from kimi_mcp.spec.answers import TaskAnswer, apply
from kimi_mcp.spec.entries import read_check
from kimi_mcp.spec.holes import holes
from kimi_mcp.spec.lint import Finding, lint, located
from kimi_mcp.spec.merge import merge, remembered
from kimi_mcp.spec.model import Check, Command, FileEntry, Manual, Operation, Spec, Task
from kimi_mcp.spec.pieces import DraftFile
from kimi_mcp.spec.plan import Draft, DraftTask, extract
from kimi_mcp.spec.render import render
from kimi_mcp.spec.shelf import Shelf

__all__ = ["Authored", "Order", "TaskAnswer", "author"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to make a spec from.

    *plan* is a plan's text and *source* its file name, never a path. *spec* is a reference to the
    spec to update. *folder* is the project folder that paths may be written from. *base* is a
    commit to note.
    """

    plan: str | None = None
    source: str | None = None
    answers: tuple[TaskAnswer, ...] = ()
    title: str | None = None
    spec: str | None = None
    folder: str = ""
    base: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Authored:
    """The spec that came of it.

    *kept* are edits kept against the plan, *holes* what is still to be said.
    """

    path: str
    spec: Spec
    text: str
    is_new: bool
    is_changed: bool
    kept: tuple[str, ...]
    findings: tuple[Finding, ...]
    holes: tuple[str, ...]


def author(
    shelf: Shelf,
    order: Order,
    *,
    is_dispatched: Callable[[str], bool],
    dry_run: bool = False,
    listed: Sequence[str] | None = None,
) -> Authored:
    """Make or update the spec; with *dry_run* nothing is written.

    *listed* are the repository's files where the caller knows them (see `files.look`).

    Raises: `Refused` when there is nothing to make it from, or an answer names what is not there;
        `SpecInvalid` when the spec to update does not parse.
    """
    if order.plan is None and not order.answers and order.title is None:
        raise Refused("nothing to make a spec from; give `plan_path`, `plan` or `tasks`")
    draft = _draft(shelf, order, listed)
    path, is_ours = _existing(shelf, order, draft, is_dispatched)
    old = shelf.spec(path) if path else None
    spec, kept = merge(old, draft) if old and order.plan is not None else (old or draft, ())
    if order.title is not None:
        spec = replace(spec, title=order.title)
    spec = apply(spec, order.answers, exists=lambda p: _exists(shelf, p, order.folder))
    if not spec.tasks:
        raise Refused(
            "No dispatchable task: the plan has no `Task N` or `Step N` heading. Nothing was "
            "written. Give the tasks yourself with `tasks`, or do it without Kimi."
        )
    tree = files.look(shelf.root, files.named_paths(spec), folder=order.folder, listed=listed)
    spec = located(spec, tree)
    if path and is_ours:
        return _finished(shelf, spec, path, kept, tree, dry_run=dry_run)
    if dry_run:
        number, new = shelf.next_path(spec.title)
        numbered = replace(spec, number=number)
        return _finished(shelf, numbered, new, kept, tree, dry_run=True)
    with shelf.reserved(spec.title) as (number, new):
        numbered = replace(spec, number=number)
        return _finished(shelf, numbered, new, kept, tree, dry_run=False)


def _finished(
    shelf: Shelf,
    spec: Spec,
    path: str,
    kept: tuple[str, ...],
    tree: files.Tree,
    *,
    dry_run: bool,
) -> Authored:
    text = render(spec)
    is_new = not (shelf.root / path).exists()
    is_changed = is_new or shelf.text(path) != text
    if is_changed and not dry_run:
        shelf.write(path, text)
    return Authored(
        path=path,
        spec=spec,
        text=text,
        is_new=is_new,
        is_changed=is_changed,
        kept=kept,
        findings=lint(spec, tree),
        holes=holes(spec),
    )


def _existing(
    shelf: Shelf, order: Order, draft: Spec, is_dispatched: Callable[[str], bool]
) -> tuple[str | None, bool]:
    """Find the spec that this order is about, and whether it may be updated in place."""
    if order.spec is not None:
        path = shelf.find(order.spec)
        return path, not is_dispatched(path)
    for path in reversed(shelf.paths()):
        if _belongs(shelf, path, order, draft):
            return path, not is_dispatched(path)
    return None, False


def _belongs(shelf: Shelf, path: str, order: Order, draft: Spec) -> bool:
    try:
        spec = shelf.spec(path)
    except SpecInvalid:
        return False  # left alone: an edit that broke the format is still the person's
    if order.source:
        return spec.source == order.source
    title = order.title or draft.title
    is_free = spec.source is None or order.plan is None
    return is_free and spec.title.casefold() == title.casefold()


def _draft(shelf: Shelf, order: Order, listed: Sequence[str] | None) -> Spec:
    """Make a spec of the plan alone, its paths written from the root."""
    plan = extract(order.plan) if order.plan is not None else Draft()
    stem = (order.source or "").rsplit("/", 1)[-1].removesuffix(".md")
    answered = next((answer.title for answer in order.answers if answer.title), None)
    spec = Spec(
        number=None,
        title=plan.title or stem or order.title or answered or "Untitled",
        source=order.source,
        source_hash=order.plan
        and "sha256:" + hashlib.sha256(order.plan.encode("utf-8", "replace")).hexdigest()[:16],
        base=order.base,
        goal=plan.goal,
        context=plan.context,
        out_of_scope=plan.out_of_scope,
        tasks=tuple(_task(task, shelf, order.folder) for task in plan.tasks),
    )
    tree = files.look(shelf.root, files.named_paths(spec), folder=order.folder, listed=listed)
    spec = located(spec, tree)
    return spec if order.plan is None else replace(spec, from_plan=remembered(spec))


def _task(draft: DraftTask, shelf: Shelf, folder: str) -> Task:
    checks = (*map(_command, draft.commands), *(Manual(text=text) for text in draft.manual if text))
    entries = (_entry(file, shelf, folder) for file in draft.files)
    return Task(
        number=draft.number,
        title=draft.title,
        depends_on=draft.depends_on,
        files=tuple(entry for entry in entries if entry),
        requirements=draft.requirements,
        verification=checks,
    )


def _command(text: str) -> Check:
    read = read_check(text)
    return read if isinstance(read, Command) else Command(text=" ".join(text.split("\n")))


def _entry(file: DraftFile, shelf: Shelf, folder: str) -> FileEntry | None:
    operation = file.operation or (
        Operation.MODIFY if _exists(shelf, file.path, folder) else Operation.CREATE
    )
    try:
        return FileEntry(operation=operation, path=file.path, target=file.target)
    except SpecInvalid:
        return None  # a word that only looked like a path leaves a hole


def _exists(shelf: Shelf, path: str, folder: str) -> bool:
    return globs.is_glob(path) or files.exists(shelf.root, path, folder=folder)
