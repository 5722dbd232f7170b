"""What stands in the way of a spec, or should be known before it is dispatched. Pure.

Errors stop a dispatch, the rest does not. Paths are judged as paths from the root; `located` makes
them so for a spec whose author wrote them from a project folder. Do that when a spec is written and
never when one is dispatched: the file would say one path and the scope another.
"""

from collections.abc import Iterator
from dataclasses import replace

from kimi_mcp import globs
from kimi_mcp.errors import nearest
from kimi_mcp.quoting.quotes import counted
from kimi_mcp.spec import paths
from kimi_mcp.spec.doubts import doubts
from kimi_mcp.spec.files import Kind, Tree
from kimi_mcp.spec.findings import Finding, error, hint
from kimi_mcp.spec.graph import cycle, independent, meetings, upstream
from kimi_mcp.spec.model import FileEntry, Operation, Spec, Task
from kimi_mcp.spec.sharing import shared
from kimi_mcp.spec.survey import NOTHING, Survey


def lint(spec: Spec, tree: Tree, survey: Survey = NOTHING) -> tuple[Finding, ...]:
    """Find everything, errors first, otherwise in the order of the file."""
    found = [*_tasks(spec), *_order(spec), *_marks(spec, survey), *_meetings(spec, survey)]
    for task in spec.tasks:
        found += [*_holes(task), *_files(spec, task, tree)]
    found += doubts(spec, survey)
    return tuple(sorted(found, key=lambda finding: not finding.is_error))


def located(spec: Spec, tree: Tree) -> Spec:
    """Write every path of *spec* from the root."""
    return replace(
        spec,
        tasks=tuple(
            replace(task, files=tuple(_located(entry, tree) for entry in task.files))
            for task in spec.tasks
        ),
    )


def _located(entry: FileEntry, tree: Tree) -> FileEntry:
    def locate(path: str) -> str:
        return path if paths.flaw(path, folder=tree.folder) else tree.locate(path)

    target = None if entry.target is None else locate(entry.target)
    return replace(entry, path=locate(entry.path), target=target)


def _tasks(spec: Spec) -> Iterator[Finding]:
    if not spec.tasks:
        yield Finding(
            code="no_tasks",
            message="no tasks; give them in `tasks`, or write `### Task 1: title` under `## Tasks`",
            is_error=True,
        )
    for number in sorted({n for n in spec.numbers if spec.numbers.count(n) > 1}):
        last = next(task for task in reversed(spec.tasks) if task.number == number)
        yield Finding(
            code="duplicate_number",
            message="two tasks have this number; renumber one",
            task=number,
            line=last.line,
            is_error=True,
        )


def _order(spec: Spec) -> Iterator[Finding]:
    for task in spec.tasks:
        for number in task.depends_on:
            if number == task.number:
                message = "depends on itself; remove that"
                code = "self_dependency"
            elif number not in spec.numbers:
                known = nearest(str(number), [str(n) for n in spec.numbers if n != task.number])
                message = f"depends on task {number}, which does not exist; nearest: {known}"
                code = "unknown_dependency"
            else:
                continue
            yield error(task, code, message)
    round_trip = cycle(spec)
    if round_trip:
        way = " → ".join(map(str, round_trip))
        message = f"depends on itself through {way}; remove one of these dependencies"
        yield error(spec.task(round_trip[0]), "cycle", message)


def _marks(spec: Spec, survey: Survey) -> Iterator[Finding]:
    free = independent(spec, survey.imports)
    for task in spec.tasks:
        if task.is_marked_independent and task.number not in free:
            why = "depends on other tasks" if task.depends_on else _shared(spec, task, survey)
            yield hint(task, "mark", f"is marked [INDEPENDENT] but {why}; the mark is ignored")


def _shared(spec: Spec, task: Task, survey: Survey) -> str:
    """Say why *task*, which needs no other, is not independent."""
    other, what = next(
        (other, what)
        for other in spec.tasks
        if other is not task
        and task.number not in upstream(spec, other.number)
        and (what := shared(task, other, survey.imports))
    )
    if what.code == "shared_file":
        return f"changes files that task {other.number} changes too"
    return f"with task {other.number}, {what.what}"


def _meetings(spec: Spec, survey: Survey) -> Iterator[Finding]:
    for one, other, what in meetings(spec, survey.imports):
        message = f"and task {one}: {what.what}; make one depend on the other (`depends_on`)"
        yield hint(spec.task(other), what.code, message)


def _holes(task: Task) -> Iterator[Finding]:
    if not task.writes:
        message = "no files; list what it may CREATE, MODIFY, DELETE or MOVE"
        yield error(task, "no_files", message)
    if not task.commands:
        message = "no command to check it; it can only be delivered unchecked"
        yield hint(task, "no_command", message)
    for command in task.commands:
        if command.note:
            message = f"`{command.text}` is run; “{command.note}” stays a manual check"
            yield hint(task, "prose_after_command", message, line=command.line)
        wrong = command.directory and paths.flaw(command.directory)
        if wrong and command.directory != ".":
            message = f"`{command.text}` runs in a folder where it may not: {wrong[1]}"
            yield error(task, wrong[0], message, line=command.line)


def _files(spec: Spec, task: Task, tree: Tree) -> Iterator[Finding]:
    seen: set[str] = set()
    for entry in task.files:
        wrong = _unholdable(entry, tree)
        if wrong:
            yield error(task, wrong[0], wrong[1], line=entry.line)
            continue
        for path in entry.written_paths:
            if path in seen:
                yield hint(task, "named_twice", f"`{path}` is named twice", line=entry.line)
            seen.add(path)
        yield from _existence(spec, task, entry, tree)


def _unholdable(entry: FileEntry, tree: Tree) -> tuple[str, str] | None:
    for path in filter(None, (entry.path, entry.target)):
        wrong = paths.flaw(path)
        if wrong:
            is_outside = wrong[0] in {"home", "absolute", "escape", "git_folder"}
            now = "; no branch can hold it, that part is for Claude" if is_outside else ""
            return wrong[0], f"{wrong[1]}{now}"
        submodule = tree.submodule(path)
        if submodule and entry.is_write:
            message = (
                f"`{path}` is inside the submodule `{submodule}`; dispatch from its repository"
            )
            return "submodule", message
        place = tree.place(path)
        if place.leaves:
            return "symlink", f"`{path}` leads out of the repository by a symbolic link"
        if place.leads_to and entry.operation not in {Operation.READ, Operation.DELETE}:
            real = place.leads_to
            return "symlink", f"`{path}` is reached by a symbolic link; name `{real}` instead"
    return None


def _existence(spec: Spec, task: Task, entry: FileEntry, tree: Tree) -> Iterator[Finding]:
    if globs.is_glob(entry.path) or (entry.target and globs.is_glob(entry.target)):
        yield from _glob(task, entry, tree)
        return
    kind = tree.place(entry.path).kind
    made, gone = _by_others(spec, task, entry.path)
    before = upstream(spec, task.number)
    if entry.operation is Operation.CREATE:
        if kind is not Kind.MISSING and not gone & before:
            message = f"`{entry.path}` exists already; write MODIFY"
            yield error(task, "exists", message, line=entry.line)
        return
    if kind is Kind.MISSING and not made & before:
        yield _missing(task, entry, tree, made=made)
    elif kind is Kind.FOLDER and entry.is_write:
        message = f"`{entry.path}` is a folder; name its files, or write `{entry.path}/**`"
        yield error(task, "folder", message, line=entry.line)
    if entry.target is not None and tree.place(entry.target).kind is not Kind.MISSING:
        message = f"`{entry.target}` exists already; MOVE to a new path"
        yield error(task, "exists", message, line=entry.line)


def _missing(task: Task, entry: FileEntry, tree: Tree, *, made: set[int]) -> Finding:
    if made:
        makers = " and ".join(f"task {n}" for n in sorted(made))
        message = f"`{entry.path}` does not exist until {makers} makes it; depend on that task"
    elif tree.place(entry.path).is_uncommitted:
        message = f"`{entry.path}` is not committed, so Kimi would not have it; commit it first"
    elif entry.operation is Operation.READ:
        near = paths.near(entry.path, tree.files)
        message = f"`{entry.path}` to READ does not exist; nearest: {near}"
    else:
        near = paths.near(entry.path, tree.files)
        message = f"`{entry.path}` to {entry.operation} does not exist; nearest: {near}"
    if entry.operation is Operation.READ:
        return hint(task, "read_missing", message, line=entry.line)
    return error(task, "missing", message, line=entry.line)


def _glob(task: Task, entry: FileEntry, tree: Tree) -> Iterator[Finding]:
    if entry.operation is Operation.MOVE:
        message = f"`{entry}`: MOVE takes one path; write one entry for each file"
        yield error(task, "glob", message, line=entry.line)
    elif entry.operation is Operation.CREATE:
        folder = entry.path.removesuffix("/**")
        if folder == entry.path or globs.is_glob(folder):
            message = f"`{entry.path}`: CREATE takes a path, or `dir/**`"
            yield error(task, "glob", message, line=entry.line)
    else:
        count = len(globs.expand(entry.path, tree.files))
        message = f"`{entry.path}` stands for {counted(count, 'file')}"
        if count or not entry.is_write:
            yield hint(task, "glob", message, line=entry.line)
        else:
            near = paths.near(entry.path, tree.files)
            yield error(task, "empty_glob", f"{message}; nearest: {near}", line=entry.line)


def _by_others(spec: Spec, task: Task, path: str) -> tuple[set[int], set[int]]:
    """Name the other tasks that make *path*, and those that take it away."""
    made: set[int] = set()
    gone: set[int] = set()
    for other in (t for t in spec.tasks if t.number != task.number):
        for entry in other.files:
            new = entry.target if entry.operation is Operation.MOVE else entry.path
            if entry.operation in {Operation.CREATE, Operation.MOVE} and new:
                made |= {other.number} if globs.matches(new, path) else set()
            if entry.operation in {Operation.DELETE, Operation.MOVE}:
                gone |= {other.number} if globs.matches(entry.path, path) else set()
    return made, gone
