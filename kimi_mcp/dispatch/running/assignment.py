"""From a task of the spec to what Kimi is told and what its result may touch. Pure."""

from collections.abc import Iterable

from kimi_mcp.kimi.brief import Assignment
from kimi_mcp.spec.model import Operation, Spec, Task
from kimi_mcp.workspace.scope import Allowed


def assignment(
    spec: Spec, task: Task, *, step_budget: int, dependency_changes: Iterable[str]
) -> Assignment:
    """Gather what the brief of *task* says; requirements go over verbatim."""
    return Assignment(
        spec_title=spec.title,
        goal=spec.goal,
        context=spec.context,
        out_of_scope=spec.out_of_scope,
        number=task.number,
        title=task.title,
        reads=tuple(
            str(entry).removeprefix(f"{Operation.READ} ")
            for entry in task.files
            if not entry.is_write
        ),
        writes=tuple(str(entry) for entry in task.writes),
        requirements="\n\n".join(text for text in (task.preface, task.requirements) if text),
        commands=tuple(
            f"`{command.text}`" + (f" (in {command.directory})" if command.directory else "")
            for command in task.commands
        ),
        manual_checks=task.manual_checks,
        further="\n\n".join(f"{block.label}:\n{block.text}" for block in task.others),
        dependency_changes=tuple(dependency_changes),
        step_budget=step_budget,
    )


def allowed(task: Task) -> tuple[Allowed, ...]:
    """Return what the result of *task* may change."""
    return tuple(
        Allowed(operation=entry.operation.value, pattern=entry.path, target=entry.target)
        for entry in task.writes
    )
