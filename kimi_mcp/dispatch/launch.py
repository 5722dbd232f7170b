"""Starting a dispatch: rows first, then the detached runner.

The call returns when that runner has really claimed the rows: "running" is never a hope. Until then
whatever was made is undone.
"""

import secrets
import string
from dataclasses import dataclass
from functools import partial

from kimi_mcp.dispatch.admission import Admission, LaunchWish, admit, preview_text
from kimi_mcp.dispatch.orders import Orders
from kimi_mcp.dispatch.place import described
from kimi_mcp.dispatch.recover import reconcile
from kimi_mcp.dispatch.start import start_runner
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import KimiUnusable, Refused
from kimi_mcp.history.ids import DispatchId, new_dispatch_id
from kimi_mcp.history.records import NewDispatch, NewTask
from kimi_mcp.kimi.detect import Kimi
from kimi_mcp.kimi.dialects import DIALECTS
from kimi_mcp.kimi.home import user_home
from kimi_mcp.spec.shelf import slug
from kimi_mcp.workspace.publish import check_prefix_free
from kimi_mcp.workspace.repository import dirty_files

TOKEN_LETTERS = string.ascii_lowercase + string.digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """A dispatch that runs."""

    dispatch: DispatchId
    text: str
    is_again: bool = False  # taken up again: its earlier events are old news


def preview(bench: Workbench, wish: LaunchWish) -> str:
    """Tell what a dispatch would do; nothing is written and nothing runs.

    Raises:
        Refused: there is no such repository, spec, task, profile or commit.
    """
    return preview_text(admit(bench, wish))


def launch(bench: Workbench, wish: LaunchWish) -> Launched:
    """Start a dispatch.

    Raises:
        Refused: something stands in the way; nothing was made.
        Unready: the runner did not start; what was made is undone.
    """
    reconcile(bench)
    admission = admit(bench, wish)
    if admission.kimi is None:
        raise KimiUnusable(admission.obstacles[-1])
    if admission.obstacles:
        found = "\n".join(f"- {obstacle}" for obstacle in admission.obstacles)
        raise Refused(f"{admission.path} cannot be dispatched:\n{found}")
    dispatch = _new_id(admission)
    check_prefix_free(admission.repository, admission.settings.branch_prefix, dispatch)
    bench.history.add(_rows(bench, admission, dispatch, admission.kimi), at=bench.stamp())
    dirty = start_runner(bench, dispatch, meanwhile=partial(dirty_files, admission.repository))
    return Launched(dispatch=dispatch, text=_started_text(admission, dispatch, dirty))


def _new_id(admission: Admission) -> DispatchId:
    token = "".join(secrets.choice(TOKEN_LETTERS) for _ in range(4))
    return new_dispatch_id(admission.spec.number or 0, slug(admission.spec.title), token)


def _rows(bench: Workbench, admission: Admission, dispatch: DispatchId, kimi: Kimi) -> NewDispatch:
    limits, profile = admission.settings.limits, admission.profile
    orders = Orders(
        kimi_argv=kimi.argv,
        kimi_version=kimi.version,
        kimi_dialect=kimi.dialect,
        kimi_home=str(user_home(bench.environ, DIALECTS[kimi.dialect])),
        tasks=tuple(task.number for task in admission.tasks),
        steps=profile.steps,
        tool_timeout_ms=profile.tool_timeout_ms,
        thinking=profile.thinking,
        model=profile.model,
        subagents=profile.subagents,
        max_parallel=admission.max_parallel,
        branch_prefix=admission.settings.branch_prefix,
        setup=admission.settings.setup,
        attempts=limits.attempts,
        task_s=limits.task_s,
        silence_s=limits.silence_s,
        tool_s=limits.tool_s,
        retries=limits.retries,
        check_s=limits.check_s,
        setup_s=limits.setup_s,
        grace_s=limits.grace_s,
    )
    return NewDispatch(
        id=dispatch,
        repository=str(admission.repository.root),
        git_dir=str(admission.repository.common_dir),
        spec_number=admission.spec.number or 0,
        spec_path=admission.path,
        spec_title=admission.spec.title,
        spec_text=admission.text,
        spec_hash=admission.spec_hash,
        base_commit=admission.base,
        base_branch=admission.repository.branch,
        profile=admission.profile_name,
        orders=orders.to_json(),
        session=bench.session,
        tasks=tuple(
            NewTask(number=task.number, title=task.title, depends_on=task.depends_on)
            for task in admission.tasks
        ),
    )


def _started_text(admission: Admission, dispatch: DispatchId, dirty: tuple[str, ...]) -> str:
    named = {
        path for task in admission.tasks for entry in task.files for path in entry.written_paths
    }
    count = len(admission.tasks)
    tasks = f"{count} task{'' if count == 1 else 's'}"
    lines = [f"{dispatch}: running, {tasks} from {described(admission.repository)}."]
    if uncommitted := sorted(named & set(dirty)):
        lines.append(
            f"Not part of the base, for they are uncommitted: {', '.join(uncommitted)}. "
            "Kimi works on the committed versions."
        )
    lines.append(
        f"It goes on without this call: get_result dispatch={dispatch} wait_s=300 waits for news, "
        "cancel_dispatch stops it."
    )
    return "\n".join(lines)
