"""Turning a plan into a spec file: read the plan, lint against the repository, tell the holes."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from kimi_mcp.dispatch.expectation import predicted
from kimi_mcp.dispatch.place import repository_for
from kimi_mcp.dispatch.planning.plan_reply import Json, told, values
from kimi_mcp.dispatch.planning.project import Project, project_of, shelf_of
from kimi_mcp.dispatch.planning.trusting import is_known, note_written
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import Refused
from kimi_mcp.reading import expanded, read_text
from kimi_mcp.settings import Settings
from kimi_mcp.spec.author import Authored, Order, TaskAnswer, author
from kimi_mcp.spec.parse import parse
from kimi_mcp.workspace.age import files_changed_since
from kimi_mcp.workspace.repository import Repository, files_at


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanWish:
    """What the caller asked for: a plan's file, its text, or tasks alone."""

    plan_path: str | None = None
    plan: str | None = None
    tasks: tuple[TaskAnswer, ...] = ()
    title: str | None = None
    spec: str | None = None
    repo: str | None = None
    is_dry_run: bool = False
    is_persons: bool = False
    """A person named the plan's file: it may lie anywhere."""


class _Plan(NamedTuple):
    """A plan's text, its file's name, and when that file was last written, in seconds."""

    text: str | None
    source: str | None
    written_s: float | None


def write_spec(bench: Workbench, wish: PlanWish) -> str:
    """Make or update a spec, and tell what is in it and what is missing.

    Raises:
        Refused: there is no plan, no repository, or nothing in the plan that could be dispatched.
    """
    repository = repository_for(bench, repo=wish.repo, spec=wish.spec)
    project = project_of(bench, repository)
    plan = _plan(bench, wish, repository, project.settings)
    authored = _authored(bench, wish, repository, project, plan)
    steps = predicted(bench, authored.spec.tasks, root=repository.root)
    return told(authored, repository, project, predicted=steps, is_dry_run=wish.is_dry_run)


def plan_values(bench: Workbench, wish: PlanWish) -> Json:
    """Give the tasks of a plan and what was found about them, as values for a script.

    Raises:
        Refused: there is no plan or no repository, or a spec is to be written and nothing in the
            plan could be dispatched.
    """
    from kimi_mcp.spec.plans.extract import extract  # noqa: PLC0415  # 100 ms, here alone

    repository = repository_for(bench, repo=wish.repo, spec=wish.spec)
    project = project_of(bench, repository)
    plan = _plan(bench, wish, repository, project.settings)
    draft = extract(plan.text or "")
    if wish.is_dry_run and not any(task.is_open for task in draft.tasks):
        return values(draft, None, is_written=False)
    authored = _authored(bench, wish, repository, project, plan)
    return values(draft, authored, is_written=not wish.is_dry_run)


def _authored(
    bench: Workbench, wish: PlanWish, repository: Repository, project: Project, plan: _Plan
) -> Authored:
    changed = files_changed_since(repository, plan.written_s) if plan.written_s else ()
    authored = author(
        shelf_of(repository, project),
        Order(
            plan=plan.text,
            source=plan.source,
            answers=wish.tasks,
            title=wish.title,
            spec=wish.spec,
            base=repository.head,
            changed=changed,
        ),
        is_dispatched=lambda path: _was_dispatched(bench, repository, path),
        dry_run=wish.is_dry_run,
        listed=files_at(repository, repository.head),
    )
    if authored.is_changed and not wish.is_dry_run and _is_all_ours(bench, repository, authored):
        note_written(bench, repository.root / authored.path, authored.text)
    return authored


def spec_text(bench: Workbench, reference: str) -> str:
    """Show the text of a spec of the caller's repository, which may have come with it.

    Raises:
        Refused: there is none, or several are meant.
    """
    repository = repository_for(bench)
    shelf = shelf_of(repository, project_of(bench, repository))
    path = shelf.find(reference)
    return f"{path}:\n{bench.envelope().around(shelf.text(path))}"


def spec_numbers(bench: Workbench) -> tuple[str, ...]:
    """Return the numbers of the specs of the caller's repository.

    Raises:
        Refused: there is no repository.
    """
    repository = repository_for(bench)
    paths = shelf_of(repository, project_of(bench, repository)).paths()
    return tuple(path.rpartition("/")[2].split("-")[0] for path in paths)


def _plan(bench: Workbench, wish: PlanWish, repository: Repository, settings: Settings) -> _Plan:
    limit_bytes = settings.limits.plan_bytes
    if wish.plan_path is None:
        if wish.plan is not None and len(wish.plan.encode()) > limit_bytes:
            raise Refused(f"The plan has more than {limit_bytes} bytes (limits.plan_bytes).")
        return _Plan(wish.plan, None, None)
    file = bench.folder / expanded(wish.plan_path)
    text = read_text(
        file,
        what="The plan",
        limit_bytes=limit_bytes,
        limit_name="limits.plan_bytes",
        within=None if wish.is_persons else _plan_places(bench, repository, settings),
    )
    return _Plan(text, file.name, _written_s(file))


def _written_s(file: Path) -> float | None:
    try:
        return file.stat().st_mtime
    except OSError:
        return None  # gone since it was read


def _plan_places(bench: Workbench, repository: Repository, settings: Settings) -> tuple[Path, ...]:
    """Name where a plan may lie that a model names, the repository first."""
    claude = bench.environ.get("CLAUDE_CONFIG_DIR") or "~/.claude"
    allowed = map(expanded, settings.allow_read)
    return (repository.root, expanded(claude) / "plans", *allowed)


def _is_all_ours(bench: Workbench, repository: Repository, authored: Authored) -> bool:
    """Tell whether no command of a stranger's spec lives on in the one that was made of it."""
    if authored.earlier is None:
        return True
    path, text = authored.earlier
    if is_known(bench, repository.root / path, text):
        return True
    return not any(task.commands for task in parse(text, name=path).tasks)


def _was_dispatched(bench: Workbench, repository: Repository, path: str) -> bool:
    found = bench.history.latest_of_spec(str(repository.root), spec_path=path)
    return found is not None
