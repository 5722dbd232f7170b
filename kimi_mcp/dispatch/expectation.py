"""How many steps tasks are expected to take, from those that this user has had delivered."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.quota.forecast import (
    RULE,
    Features,
    Forecast,
    Past,
    accuracy,
    forecast,
    together,
)
from kimi_mcp.spec.entries import Operation
from kimi_mcp.spec.model import Task


def predicted(bench: Workbench, tasks: Sequence[Task], *, root: Path) -> str:
    """Say how many steps *tasks* on the checkout at *root* are expected to take, and by what."""
    forecasts = forecasts_of(tasks, past_tasks(bench), root=root)
    low, high = together(forecasts.values())
    samples = _samples(forecasts)
    rests_on = f"from {samples} similar tasks" if samples else "a rule of thumb"
    return f"Predicted {low} to {high} steps ({rests_on})."


def forecasts_of(tasks: Sequence[Task], past: Sequence[Past], *, root: Path) -> dict[int, Forecast]:
    """Expect the steps of each task, by its number, from *past* ones."""
    return {task.number: forecast(_features_of(task, root), past) for task in tasks}


def _features_of(task: Task, root: Path) -> Features:
    operations = {entry.operation for entry in task.files if entry.is_write}
    if operations <= {Operation.CREATE}:
        kind = "create"
    else:
        kind = "mixed" if Operation.CREATE in operations else "modify"
    return Features(
        files=len(written_paths(task)),
        kbytes=round(sum(_size(root / entry.path) for entry in task.files) / 1000, 1),
        commands=len(task.commands),
        kind=kind,
    )


def past_tasks(bench: Workbench) -> list[Past]:
    """Return the delivered tasks whose forecast is known, the newest first."""
    return [
        Past(forecast=known, steps=one.steps)
        for one in bench.history.worked()
        if one.is_delivered
        and one.forecast is not None
        and (known := Forecast.from_json(one.forecast)) is not None
    ]


def accuracy_line(past: Sequence[Past]) -> str | None:
    """Tell how good the forecasts were so far."""
    known = accuracy(past)
    if known is None:
        return None
    return (
        f"of {known.forecasts} earlier forecasts {known.inside} held; "
        f"the median error is {known.median_error:g} steps"
    )


def basis(forecasts: Mapping[int, Forecast], past: Sequence[Past]) -> str:
    """Say what forecasts rest on, and how good earlier ones were."""
    samples = _samples(forecasts)
    basis = f"from {samples} similar tasks" if samples else RULE
    return "; ".join(filter(None, [basis, accuracy_line(past)]))


def _samples(forecasts: Mapping[int, Forecast]) -> int:
    return max((one.samples for one in forecasts.values()), default=0)


def written_paths(task: Task) -> set[str]:
    """Return the paths that a task's list names to be written."""
    return {path for entry in task.files for path in entry.written_paths}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
