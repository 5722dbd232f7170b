"""What each task of a dispatch may take, read off the spec as it was dispatched and amended."""

from collections.abc import Mapping, Sequence

from kimi_mcp.dispatch.errand import Amendments, amended
from kimi_mcp.dispatch.orders import Orders
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import KimiMcpError
from kimi_mcp.history.records import Dispatch, Task
from kimi_mcp.review.board import Plan
from kimi_mcp.spec.parse import parse


def plans_of(bench: Workbench, dispatch: Dispatch, tasks: Sequence[Task]) -> Mapping[int, Plan]:
    """Say what each of *tasks* may take, by its number; nothing of a spec that is read no more."""
    orders = Orders.from_json(dispatch.orders)
    changes = {task.number: Amendments.from_json(task.amendments) for task in tasks}
    made = {number: one for number, one in changes.items() if one != Amendments()}
    try:
        spec = amended(parse(bench.history.spec_text(dispatch.id), name=dispatch.spec_path), made)
    except KimiMcpError:  # an earlier version was less strict
        return {}
    return {
        task.number: Plan(
            steps=orders.step_budget(spec.budget, task.budget), checks=len(task.commands)
        )
        for task in spec.tasks
        if task.number in changes
    }
