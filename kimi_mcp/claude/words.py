"""What the hook says, to Claude and to the user. Pure."""

import json

from kimi_mcp.quoting.quotes import counted
from kimi_mcp.spec.worth import Size

#: By it a session's transcript tells that the user was told.
WITHOUT_KIMI = "kimi-mcp: this plan would suit Kimi, but there is none to use."

_ASK = (
    "Unless the user has said who implements it, ask before any edit, with AskUserQuestion: "
    '"Who implements this plan?" and these two options:'
)
_DELEGATE = (
    '"Delegate to Kimi": call plan_to_spec with plan_path={plan_path}, answer its holes, then '
    "dispatch_spec; review what is delivered before land_result. "
    '"Claude implements": go on, and do not mention Kimi again.'
)


def offer(size: Size, *, plan_path: str, allowance: str | None) -> str:
    """Tell Claude to offer the choice.

    Args:
        size: of the approved plan.
        plan_path: its file, as Claude Code named it.
        allowance: what is known of the quota, as words; None: nothing.
    """
    least, most = size.steps
    cost = f"about {least} to {most} Kimi steps" + (f"; {allowance}" if allowance else "")
    tasks = counted(size.tasks, "task")
    files = counted(size.files + size.unnamed, "file")
    lines = [
        f"kimi-mcp: the approved plan ({tasks}, {files}) suits Kimi.",
        _ASK,
        f'1. "Delegate to Kimi (Recommended)": {tasks} on branches of their own, {cost}.',
        '2. "Claude implements": here, as usual.',
        _DELEGATE.format(plan_path=json.dumps(plan_path)),
    ]
    return "\n".join(lines)


def without_kimi(reason: str) -> str:
    """Tell the user, once a session, why nothing is offered."""
    return f"{WITHOUT_KIMI} {reason}"
