"""What a spec does not say yet, as questions that `tasks` can answer. Pure."""

from kimi_mcp.spec.model import Spec, Task


def holes(spec: Spec) -> tuple[str, ...]:
    """List the holes, numbered, each naming its task and the field of `tasks` that fills it."""
    found = [hole for task in spec.tasks for hole in _of(task)]
    return tuple(f"{place}. {hole}" for place, hole in enumerate(found, 1))


def _of(task: Task) -> list[str]:
    missing = (
        ("no title (`title`)", not task.title),
        ("no files (`files`)", not task.writes),
        ("no requirements (`requirements`)", not task.requirements and not task.preface),
        ("no command (`verification`)", not task.commands),
    )
    return [f"task {task.number}: {what}" for what, is_missing in missing if is_missing]
