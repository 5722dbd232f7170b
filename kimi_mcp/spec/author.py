"""What `plan_to_spec` does: a plan, answers, or both become a spec file.

A spec belongs to its source: the plan's file name, else the title. Until it has been dispatched a
further call updates it in place; afterwards it makes a new number from it. How edits survive is in
`merge`. The caller says whether a spec was dispatched by its path from the root, because that stays
the same while its text is edited.
"""

import hashlib
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import partial

from kimi_mcp import globs
from kimi_mcp.errors import Refused, SpecInvalid
from kimi_mcp.spec import files
from kimi_mcp.spec.answers import TaskAnswer, apply
from kimi_mcp.spec.entries import read_check
from kimi_mcp.spec.findings import Finding
from kimi_mcp.spec.graph import independent
from kimi_mcp.spec.holes import holes
from kimi_mcp.spec.lint import lint, located
from kimi_mcp.spec.merge import merge, remembered
from kimi_mcp.spec.model import Check, Command, FileEntry, Manual, Operation, Spec, Task
from kimi_mcp.spec.parse import parse
from kimi_mcp.spec.plans.draft import Draft, DraftFile, DraftTask
from kimi_mcp.spec.render import render
from kimi_mcp.spec.shelf import Shelf
from kimi_mcp.spec.survey import survey

__all__ = ["Authored", "Order", "TaskAnswer", "author"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to make a spec from.

    *plan* is a plan's text and *source* its file name, never a path. *spec* is a reference to the
    spec to update. *folder* is the project folder that paths may be written from. *base* is a
    commit to note. *changed* are files that changed after the plan was written.
    """

    plan: str | None = None
    source: str | None = None
    answers: tuple[TaskAnswer, ...] = ()
    title: str | None = None
    spec: str | None = None
    folder: str = ""
    base: str | None = None
    changed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Authored:
    """The spec that came of it.

    *earlier* is the path and text of the spec that it was made from, *kept* are edits kept against
    the plan, *holes* what is still to be said. *plan* is what the plan says, done work included.
    *unread* are source files of which no reader knows what they import.
    """

    path: str
    spec: Spec
    text: str
    is_new: bool
    is_changed: bool
    earlier: tuple[str, str] | None
    kept: tuple[str, ...]
    findings: tuple[Finding, ...]
    holes: tuple[str, ...]
    plan: Draft
    independent: frozenset[int]
    unread: frozenset[str]


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
    plan = _read(order.plan) if order.plan is not None else Draft()
    draft = _draft(plan, shelf, order, listed)
    path, is_ours = _existing(shelf, order, draft, is_dispatched)
    earlier = (path, shelf.text(path)) if path else None
    old = parse(earlier[1], name=earlier[0]) if earlier else None
    spec, kept = merge(old, draft) if old and order.plan is not None else (old or draft, ())
    if order.title is not None:
        spec = replace(spec, title=order.title)
    spec = apply(spec, order.answers, exists=lambda p: _exists(shelf, p, order.folder))
    if not spec.tasks:
        raise Refused(
            f"No dispatchable task: {plan.refusal or 'the spec has none'}. Nothing was written. "
            "Give the tasks yourself with `tasks`, or do it without Kimi."
        )
    tree = files.look(shelf.root, files.named_paths(spec), folder=order.folder, listed=listed)
    spec = located(spec, tree)
    finished = partial(
        _finished, shelf, order, plan, earlier=earlier, kept=kept, tree=tree, dry_run=dry_run
    )
    if path and is_ours:
        return finished(spec, path)
    if dry_run:
        number, new = shelf.next_path(spec.title)
        numbered = replace(spec, number=number)
        return finished(numbered, new)
    with shelf.reserved(spec.title) as (number, new):
        numbered = replace(spec, number=number)
        return finished(numbered, new)


def _read(text: str) -> Draft:
    from kimi_mcp.spec.plans.extract import extract  # noqa: PLC0415  # 100 ms, not for answers alone

    return extract(text)


def _finished(
    shelf: Shelf,
    order: Order,
    plan: Draft,
    spec: Spec,
    path: str,
    *,
    earlier: tuple[str, str] | None,
    kept: tuple[str, ...],
    tree: files.Tree,
    dry_run: bool,
) -> Authored:
    seen = survey(shelf.root, spec, tree, changed=order.changed)
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
        earlier=earlier,
        kept=kept,
        findings=lint(spec, tree, seen),
        holes=holes(spec),
        plan=plan,
        independent=independent(spec, seen.imports),
        unread=seen.unread,
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
    except Refused:
        return False  # left alone: an edit that broke the format is still the person's
    if order.source:
        return spec.source == order.source
    title = order.title or draft.title
    is_free = spec.source is None or order.plan is None
    return is_free and spec.title.casefold() == title.casefold()


def _draft(plan: Draft, shelf: Shelf, order: Order, listed: Sequence[str] | None) -> Spec:
    """Make a spec of the plan's open tasks alone, its paths written from the root."""
    still_open = {task.number for task in plan.tasks if task.is_open}
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
        tasks=tuple(
            _task(task, shelf, order.folder, still_open, listed or ())
            for task in plan.tasks
            if task.is_open
        ),
    )
    tree = files.look(shelf.root, files.named_paths(spec), folder=order.folder, listed=listed)
    spec = located(spec, tree)
    return spec if order.plan is None else replace(spec, from_plan=remembered(spec))


def _task(
    draft: DraftTask,
    shelf: Shelf,
    folder: str,
    still_open: AbstractSet[int],
    listed: Sequence[str],
) -> Task:
    checks = (*map(_command, draft.commands), *(Manual(text=text) for text in draft.manual if text))
    entries = (_entry(file, shelf, folder, listed) for file in draft.files)
    return Task(
        number=draft.number,
        title=draft.title,
        is_marked_independent=draft.is_marked_parallel,
        depends_on=tuple(n for n in draft.depends_on if n in still_open),
        files=tuple(entry for entry in entries if entry),
        requirements=draft.requirements,
        verification=checks,
        budget=draft.budget,
    )


def _command(text: str) -> Check:
    read = read_check(text)
    return read if isinstance(read, Command) else Command(text=" ".join(text.split("\n")))


def _entry(file: DraftFile, shelf: Shelf, folder: str, listed: Sequence[str]) -> FileEntry | None:
    is_there = file.operation is None and (
        _exists(shelf, file.path, folder) or any(name.endswith(f"/{file.path}") for name in listed)
    )  # a name alone that stands elsewhere: lint says where, and nothing is made beside it
    operation = file.operation or (Operation.MODIFY if is_there else Operation.CREATE)
    try:
        return FileEntry(operation=operation, path=file.path, target=file.target)
    except SpecInvalid:
        return None  # a word that only looked like a path leaves a hole


def _exists(shelf: Shelf, path: str, folder: str) -> bool:
    return globs.is_glob(path) or files.exists(shelf.root, path, folder=folder)
