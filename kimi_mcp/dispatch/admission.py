"""Everything that can be refused, before anything exists: the plan of a dispatch.

Writes nothing, but for a snapshot's objects, to which nothing refers.

What stands in the way is gathered and not raised at once, so that a dry run can list all of it.
"""

import shutil
from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from kimi_mcp.dispatch.budget import Budget, budget_of
from kimi_mcp.dispatch.interruption import is_interrupted
from kimi_mcp.dispatch.landing.discard import is_discarded
from kimi_mcp.dispatch.place import described, repository_for
from kimi_mcp.dispatch.planning.narrowing import Chosen
from kimi_mcp.dispatch.planning.project import project_of, shelf_of
from kimi_mcp.dispatch.planning.trust import hash_of
from kimi_mcp.dispatch.planning.trusting import fence_for, strange_demands
from kimi_mcp.dispatch.recovery.underway import at_work_in
from kimi_mcp.dispatch.running.derived_setup import Derived, derived
from kimi_mcp.dispatch.starting_point import StartingPoint, starting_point
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import KimiUnusable, Refused
from kimi_mcp.kimi.detect import Kimi, detect_kimi
from kimi_mcp.kimi.swarm import no_swarm
from kimi_mcp.quoting.quotes import counted, inline, named, quoted
from kimi_mcp.settings import Profile, Settings
from kimi_mcp.spec.files import look, named_paths
from kimi_mcp.spec.findings import Finding
from kimi_mcp.spec.graph import cycle, waves
from kimi_mcp.spec.lint import lint
from kimi_mcp.spec.model import Spec, Task
from kimi_mcp.spec.parse import parse
from kimi_mcp.spec.survey import survey
from kimi_mcp.workspace.bring import INCLUDE_FILE, brought_along
from kimi_mcp.workspace.repository import Repository, files_at, text_at

NAMED_FILES = 5
NAME_CHARS = 80
NOTE_CHARS = 300
OBSTACLE_CHARS = 600
MOST_BROUGHT_BYTES = 1_000_000_000
TOLD = 10  # findings, obstacles and notes each


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchWish:
    """What the caller asked for; None leaves it to the spec, the profile or the settings."""

    spec: str
    tasks: tuple[int, ...] | None = None
    profile: str | None = None
    max_parallel: int | None = None
    base: str | None = None
    repo: str | None = None
    is_over_quota: bool = False  # the user has agreed to it


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A dispatch that could start, with what a reader should know before it does."""

    repository: Repository
    start: StartingPoint
    path: str  # of the spec, from the root
    text: str
    spec: Spec
    tasks: tuple[Task, ...]
    findings: tuple[Finding, ...]
    profile_name: str
    profile: Profile
    settings: Settings
    max_parallel: int
    setup: Derived
    bring: tuple[str, ...]
    kimi: Kimi | None
    obstacles: tuple[str, ...]
    notes: tuple[str, ...]
    configured_setup: tuple[str, ...]
    budget: Budget
    fan_out: Literal["processes", "swarm"]

    @property
    def spec_hash(self) -> str:
        """What identifies the spec's text."""
        return hash_of(self.text)


def admit(bench: Workbench, wish: LaunchWish) -> Admission:
    """Look at everything that a dispatch of *wish* rests on.

    Raises:
        Refused: there is no such repository, spec, task, profile or commit, or the spec's text
            breaks the format. Everything else is among the obstacles.
    """
    repository = repository_for(bench, repo=wish.repo, spec=wish.spec)
    project = project_of(bench, repository)
    settings = project.settings
    shelf = shelf_of(repository, project)
    path = shelf.find(wish.spec)
    text = shelf.text(path)
    spec = parse(text, name=path)
    tasks = _selected(spec, wish.tasks)
    with at_work_in(bench, repository.root):
        start = starting_point(repository, wish.base, tasks)
    files = files_at(repository, start.base)
    tree = look(repository.root, named_paths(spec), listed=files)
    chosen = (
        Chosen(name=wish.profile, profile=settings.profile_named(wish.profile))
        if wish.profile
        else project.profile_for(spec=spec.profile)
    )
    kimi, unusable = _kimi(bench)
    findings = lint(spec, tree, survey(repository.root, spec, tree))
    strange = strange_demands(bench, repository, project, path=path, text=text, tasks=tasks)
    bring = brought_along(repository, settings.bring)
    fence, unfenced = fence_for(bench, settings.fence, strange)
    task_s = _granted(chosen.profile.task_s, project.users.limits.task_s, settings.limits.task_s)
    limits = settings.limits.model_copy(update={"task_s": task_s})
    unswarmed = no_swarm(chosen.profile.fan_out, kimi)
    budget = budget_of(
        bench,
        settings,
        chosen.profile,
        tasks,
        root=repository.root,
        is_agreed=wish.is_over_quota,
    )
    return Admission(
        repository=repository,
        start=start,
        path=path,
        text=text,
        spec=spec,
        tasks=tasks,
        findings=findings,
        profile_name=chosen.name,
        profile=chosen.profile,
        settings=settings.model_copy(update={"fence": fence, "limits": limits}),
        max_parallel=wish.max_parallel
        or int(
            _granted(chosen.profile.max_parallel, project.users.max_parallel, settings.max_parallel)
        ),
        setup=(
            _derived(bench, files, tasks, content=partial(text_at, repository, start.base))
            if settings.setup is None
            else Derived(commands=settings.setup)
        ),
        bring=bring,
        kimi=kimi,
        obstacles=(
            *(quoted(str(one), limit=NOTE_CHARS) for one in findings if one.is_error),
            *start.obstacles,
            *_interrupted(bench, repository, text),
            *unfenced,
            *_cramped(bench, settings),
            *_heavy(repository, bring),
            *filter(None, [budget.obstacle]),
            *unusable,
        ),
        notes=(*project.notes, *chosen.notes, *filter(None, [unswarmed])),
        configured_setup=tuple(project.setup_lines()),
        budget=budget,
        fan_out="processes" if unswarmed else chosen.profile.fan_out,
    )


def preview_text(admission: Admission) -> str:
    """Tell what a dispatch would do, and what stands in its way."""
    head = f"{admission.path} in {described(admission.repository)}"
    numbers = {task.number for task in admission.tasks}
    order = "none: it goes in a circle" if cycle(admission.spec) else _order(admission, numbers)
    verdict = "cannot start" if admission.obstacles else "can start"
    tasks = counted(len(numbers), "task")
    lines = [f"{head}: {verdict}, {tasks}, order {order}."]
    hints = [
        quoted(str(hint), limit=NOTE_CHARS) for hint in admission.findings if not hint.is_error
    ]
    lines += [
        f"- in the way: {inline(obstacle, limit=OBSTACLE_CHARS)}"
        for obstacle in the_first(admission.obstacles)
    ]
    lines += [f"- note: {hint}" for hint in the_first(hints)]
    lines += [f"- note: {note}." for note in the_first(admission.notes)]
    kimi = f"Kimi {admission.kimi.version}" if admission.kimi else "no Kimi that could run it"
    steps = admission.profile.steps or "no limit"
    lines.append(f"Profile {admission.profile_name}: {steps} steps a task; {kimi}.")
    lines += admission.budget.lines
    lines += admission.configured_setup or _derived_lines(admission.setup)
    if bring := admission.bring:
        told = named(bring, most=NAMED_FILES, limit=NAME_CHARS)
        lines.append(f"Brought into each clone: {told}.")
    what_now = (
        "First see to what is in the way."
        if admission.obstacles
        else "The same without dry_run starts it."
    )
    lines.append(f"Nothing was started. {what_now}")
    return "\n".join(lines)


def the_first(texts: Sequence[str]) -> list[str]:
    """Give the first of *texts*, and say how many there are beside."""
    more = len(texts) - TOLD
    return [*texts[:TOLD], *([f"and {more} more"] if more > 0 else [])]


def _order(admission: Admission, numbers: Container[int]) -> str:
    known = ([n for n in wave if n in numbers] for wave in waves(admission.spec))
    return " then ".join("+".join(map(str, wave)) for wave in known if wave)


def _derived_lines(setup: Derived) -> Iterator[str]:
    if setup.because:
        derivation = f"derived from {named(setup.because, most=NAMED_FILES)}"
        commands = "; ".join(quoted(command, limit=NOTE_CHARS) for command in setup.commands)
        yield f"Setup in each clone ({derivation}): {commands}."
    if setup.without:
        told = named(setup.without, most=NAMED_FILES)
        yield f"No setup for {told}: the program is not installed."


def _derived(
    bench: Workbench,
    files: tuple[str, ...],
    tasks: tuple[Task, ...],
    *,
    content: Callable[[str], str],
) -> Derived:
    search = bench.environ.get("PATH")
    return derived(
        files,
        tasks,
        content=content,
        is_installed=lambda program: shutil.which(program, path=search) is not None,
    )


def _granted(profiles: float | None, users: float, narrowed: float) -> float:
    """Return a bound: the profile's word before the user's general one, within a repository's."""
    own = users if profiles is None else profiles
    return min(own, narrowed) if narrowed < users else own


def _heavy(repository: Repository, bring: tuple[str, ...]) -> Iterator[str]:
    """Say that what would be copied into every clone is too much."""
    size = sum((repository.root / path).stat().st_size for path in bring)
    if size > MOST_BROUGHT_BYTES:
        yield (
            f"the files to bring along hold {size // 10**6} MB; narrow `bring` or "
            f"{INCLUDE_FILE} to less than {MOST_BROUGHT_BYTES // 10**6}"
        )


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


def _cramped(bench: Workbench, settings: Settings) -> Iterator[str]:
    """Say that the disk has too little room for work that would not be ended at once."""
    free = shutil.disk_usage(bench.state.root).free
    if free < settings.limits.free_bytes:
        yield (
            f"only {free // 10**6} MB are free on the disk of {bench.state.root}, less than "
            "limits.free_bytes; make room"
        )


def _interrupted(bench: Workbench, repository: Repository, text: str) -> Iterator[str]:
    """Name the dispatch of this very spec that was interrupted, and both ways on."""
    earlier = bench.history.latest_of_spec(str(repository.root), spec_hash=hash_of(text))
    if earlier is None or not earlier.state.is_terminal:
        return
    if is_discarded(bench, earlier.id):
        return
    if any(is_interrupted(task) for task in bench.history.tasks(earlier.id)):
        yield (
            f"{earlier.id} is a dispatch of this spec that was interrupted. Resume it: "
            f"dispatch_spec spec={earlier.id}. To start over, discard it (land_result "
            "how=discard) or change the spec"
        )
