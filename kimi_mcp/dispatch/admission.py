"""Everything that can be refused, before anything exists: the plan of a dispatch. Writes nothing.

What stands in the way is gathered and not raised at once, so that a dry run can list all of it.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from kimi_mcp.dispatch.interruption import is_interrupted
from kimi_mcp.dispatch.place import described, repository_for
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import KimiUnusable, Refused
from kimi_mcp.kimi.detect import Kimi, detect_kimi
from kimi_mcp.settings import Profile, Settings
from kimi_mcp.spec.files import look, named_paths
from kimi_mcp.spec.graph import waves
from kimi_mcp.spec.lint import Finding, lint
from kimi_mcp.spec.model import Spec, Task
from kimi_mcp.spec.parse import parse
from kimi_mcp.spec.shelf import Shelf
from kimi_mcp.workspace.repository import Repository, files_at, resolve


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchWish:
    """What the caller asked for."""

    spec: str
    tasks: tuple[int, ...] | None = None
    profile: str | None = None
    max_parallel: int | None = None
    base: str | None = None
    repo: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A dispatch that could start, with what a reader should know before it does."""

    repository: Repository
    base: str
    path: str  # of the spec, from the root
    text: str
    spec: Spec
    tasks: tuple[Task, ...]
    findings: tuple[Finding, ...]
    profile_name: str
    profile: Profile
    settings: Settings
    max_parallel: int
    kimi: Kimi | None
    obstacles: tuple[str, ...]

    @property
    def spec_hash(self) -> str:
        """What identifies the spec's text."""
        return hash_of(self.text)


def hash_of(text: str) -> str:
    """Return what identifies a spec's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def admit(bench: Workbench, wish: LaunchWish) -> Admission:
    """Look at everything that a dispatch of *wish* rests on.

    Raises:
        Refused: there is no such repository, spec, task, profile or commit, or the spec's text
            breaks the format. Everything else is among the obstacles.
    """
    settings = bench.settings()
    repository = repository_for(bench, repo=wish.repo, spec=wish.spec)
    shelf = Shelf(root=repository.root, folder=settings.specs_dir)
    path = shelf.find(wish.spec)
    text = shelf.text(path)
    if len(text.encode()) > settings.limits.spec_bytes:
        raise Refused(f"{path} is longer than limits.spec_bytes ({settings.limits.spec_bytes}).")
    spec = parse(text, name=path)
    base = resolve(repository, wish.base or "HEAD")
    files = files_at(repository, base)
    tree = look(repository.root, named_paths(spec), listed=files)
    tasks = _selected(spec, wish.tasks)
    profile_name = wish.profile or spec.profile or settings.profile
    kimi, unusable = _kimi(bench)
    findings = lint(spec, tree)
    return Admission(
        repository=repository,
        base=base,
        path=path,
        text=text,
        spec=spec,
        tasks=tasks,
        findings=findings,
        profile_name=profile_name,
        profile=settings.profile_named(profile_name),
        settings=settings,
        max_parallel=wish.max_parallel or settings.max_parallel,
        kimi=kimi,
        obstacles=(
            *(str(finding) for finding in findings if finding.is_error),
            *_interrupted(bench, repository, text),
            *unusable,
        ),
    )


def preview_text(admission: Admission) -> str:
    """Tell what a dispatch would do, and what stands in its way."""
    head = f"{admission.path} in {described(admission.repository)}"
    numbers = {task.number for task in admission.tasks}
    order = " then ".join(
        "+".join(str(number) for number in wave)
        for wave in ([n for n in one if n in numbers] for one in waves(admission.spec))
        if wave
    )
    verdict = "cannot start" if admission.obstacles else "can start"
    tasks = f"{len(numbers)} task{'' if len(numbers) == 1 else 's'}"
    lines = [f"{head}: {verdict}, {tasks}, order {order}."]
    lines += [f"- in the way: {obstacle}" for obstacle in admission.obstacles]
    lines += [f"- note: {hint}" for hint in admission.findings if not hint.is_error]
    kimi = admission.kimi.version if admission.kimi else "none"
    steps = admission.profile.steps or "no limit"
    lines.append(f"Profile {admission.profile_name}: {steps} steps a task; Kimi {kimi}.")
    if admission.settings.setup:
        lines.append(f"Setup in each clone: {'; '.join(admission.settings.setup)}.")
    lines.append("Nothing was started. Call dispatch_spec without dry_run to start.")
    return "\n".join(lines)


def _selected(spec: Spec, wanted: tuple[int, ...] | None) -> tuple[Task, ...]:
    if wanted is None:
        return spec.tasks
    tasks = tuple(spec.task(number) for number in sorted(set(wanted)))
    for task in tasks:
        missing = [n for n in task.depends_on if n not in wanted]
        if missing:
            named = ", ".join(f"task {number}" for number in missing)
            raise Refused(f"Task {task.number} depends on {named}; add it to tasks.")
    return tasks


def _kimi(bench: Workbench) -> tuple[Kimi | None, tuple[str, ...]]:
    try:
        return detect_kimi(bench.state, environ=bench.environ), ()
    except KimiUnusable as refusal:
        return None, (str(refusal),)


def _interrupted(bench: Workbench, repository: Repository, text: str) -> Iterator[str]:
    """Name the dispatch of this very spec that was interrupted, and both ways on."""
    earlier = bench.history.latest_of_spec(str(repository.root), spec_hash=hash_of(text))
    if earlier is None or not earlier.state.is_terminal:
        return
    if any(is_interrupted(task) for task in bench.history.tasks(earlier.id)):
        yield (
            f"{earlier.id} is a dispatch of this spec that was interrupted. Resume it: "
            f"dispatch_spec spec={earlier.id}. To start over, change the spec"
        )
