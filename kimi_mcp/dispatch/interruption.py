"""Which tasks were interrupted: ended before they could be judged, so that they can go on. Pure."""

from kimi_mcp.history.records import Task
from kimi_mcp.lifecycle import Outcome, TaskState

#: What ended a task before it could be judged: the same session can simply go on.
INTERRUPTIONS = frozenset(
    {
        Outcome.STEP_LIMIT,
        Outcome.TIMED_OUT,
        Outcome.STALLED,
        Outcome.QUOTA_EXHAUSTED,
        Outcome.RATE_LIMITED,
        Outcome.NOT_LOGGED_IN,
        Outcome.PROVIDER_ERROR,
        Outcome.KIMI_UNUSABLE,
        Outcome.CONFIG_INVALID,
        Outcome.SETUP_FAILED,
        Outcome.MERGE_CONFLICT,  # it never began, and does when the conflict has been settled
        Outcome.CRASHED,
    }
)


def is_interrupted(task: Task) -> bool:
    """Tell whether resuming the dispatch would continue this task."""
    return task.state in {TaskState.CANCELLED, TaskState.LOST} or task.outcome in INTERRUPTIONS
