"""Turning a plan into a spec file: reads the plan, lints against the repository, tells the holes.

The plan's text is never echoed; the reply stays within 500 tokens for a plan of three tasks.
"""

from dataclasses import dataclass
from pathlib import Path

from kimi_mcp.dispatch.place import described, repository_for
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import Refused
from kimi_mcp.quoting import inline
from kimi_mcp.spec.author import Authored, Order, TaskAnswer, author
from kimi_mcp.spec.graph import independent
from kimi_mcp.spec.model import Task
from kimi_mcp.spec.shelf import Shelf
from kimi_mcp.workspace.repository import Repository, files_at

SHOWN_NOTES = 8
NOTE_CHARS = 200
TITLE_CHARS = 60
FEW_FILES = 2
STEPS_A_FILE = 3  # a rule of thumb until a ledger knows better: read, edit, and a share of checks
STEPS_A_TASK = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanWish:
    """What the caller asked for."""

    plan_path: str | None = None
    plan: str | None = None
    tasks: tuple[TaskAnswer, ...] = ()
    title: str | None = None
    spec: str | None = None
    repo: str | None = None
    is_dry_run: bool = False


def write_spec(bench: Workbench, wish: PlanWish) -> str:
    """Make or update a spec, and tell what is in it and what is missing.

    Raises:
        Refused: there is no plan, no repository, or nothing in the plan that could be dispatched.
    """
    settings = bench.settings()
    repository = repository_for(bench, repo=wish.repo, spec=wish.spec)
    shelf = Shelf(root=repository.root, folder=settings.specs_dir)
    plan, source = _plan(bench, wish, limit_bytes=settings.limits.plan_bytes)
    authored = author(
        shelf,
        Order(
            plan=plan,
            source=source,
            answers=wish.tasks,
            title=wish.title,
            spec=wish.spec,
            base=repository.head,
        ),
        is_dispatched=lambda path: _was_dispatched(bench, repository, path),
        dry_run=wish.is_dry_run,
        listed=files_at(repository, repository.head),
    )
    return _reply(authored, repository, is_dry_run=wish.is_dry_run)


def spec_text(bench: Workbench, reference: str) -> str:
    """Return the text of a spec of the caller's repository.

    Raises:
        Refused: there is none, or several are meant.
    """
    repository = repository_for(bench)
    shelf = Shelf(root=repository.root, folder=bench.settings().specs_dir)
    return shelf.text(shelf.find(reference))


def _plan(bench: Workbench, wish: PlanWish, *, limit_bytes: int) -> tuple[str | None, str | None]:
    """Return the plan's text and its file's name."""
    if wish.plan_path is None:
        if wish.plan is not None and len(wish.plan.encode()) > limit_bytes:
            raise Refused(f"The plan has more than {limit_bytes} bytes (limits.plan_bytes).")
        return wish.plan, None
    file = bench.folder / Path(wish.plan_path).expanduser()
    try:
        with file.open("rb") as opened:
            content = opened.read(limit_bytes + 1)
        text = content.decode()
    except UnicodeDecodeError as error:
        raise Refused(f"The plan {file} is no UTF-8 text.") from error
    except OSError as error:
        raise Refused(f"The plan {file} cannot be read: {error.strerror}.") from error
    if len(content) > limit_bytes:
        raise Refused(f"The plan {file} has more than {limit_bytes} bytes (limits.plan_bytes).")
    return text, file.name


def _was_dispatched(bench: Workbench, repository: Repository, path: str) -> bool:
    found = bench.history.latest_of_spec(str(repository.root), spec_path=path)
    return found is not None


def _reply(authored: Authored, repository: Repository, *, is_dry_run: bool) -> str:
    spec = authored.spec
    free = independent(spec)
    lines = [f"{authored.path}: {_deed(authored, is_dry_run=is_dry_run)}, {_count(spec.tasks)}."]
    lines.append(f"Repository {described(repository)}.")
    lines += [_task_line(task, is_free=task.number in free) for task in spec.tasks]
    notes = [*authored.kept, *map(str, authored.findings)]
    lines += [f"- {inline(note, limit=NOTE_CHARS)}" for note in notes[:SHOWN_NOTES]]
    if len(notes) > SHOWN_NOTES:
        lines.append(
            f"- and {len(notes) - SHOWN_NOTES} more; dispatch_spec dry_run lists them all."
        )
    lines.append(_advice(spec.tasks))
    if authored.holes:
        lines += ["Missing; answer by calling again with `tasks`:", *authored.holes]
    else:
        lines.append(f"Next: dispatch_spec spec={spec.number}.")
    return "\n".join(lines)


def _deed(authored: Authored, *, is_dry_run: bool) -> str:
    if is_dry_run:
        return "nothing written (dry run)"
    if authored.is_new:
        return "written"
    return "updated" if authored.is_changed else "unchanged"


def _count(tasks: tuple[Task, ...]) -> str:
    return f"{len(tasks)} task{'' if len(tasks) == 1 else 's'}"


def _task_line(task: Task, *, is_free: bool) -> str:
    after = ", ".join(str(number) for number in task.depends_on)
    place = f"after {after}" if after else ("independent" if is_free else "in order")
    checks = f"{len(task.commands)} command{'' if len(task.commands) == 1 else 's'}"
    title = inline(task.title, limit=TITLE_CHARS)
    return f"{task.number}. {title} · {len(task.writes)} files · {checks} · {place}"


def _advice(tasks: tuple[Task, ...]) -> str:
    """Advise by the number of files, and predict steps by a stated rule of thumb."""
    files = {path for task in tasks for entry in task.files for path in entry.written_paths}
    least = len(tasks) * STEPS_A_TASK + len(files)
    most = len(tasks) * STEPS_A_TASK + len(files) * STEPS_A_FILE
    prediction = f"Predicted {least} to {most} steps (a rule of thumb)."
    if len(files) <= FEW_FILES:
        return f"{prediction} Small: doing it yourself may be quicker."
    return f"{prediction} Worth delegating: {len(files)} files."
