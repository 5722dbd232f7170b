"""Starting a dispatch: rows first, then the detached runner.

The call returns when that runner has really claimed the rows: "running" is never a hope. Until then
whatever was made is undone.
"""

import secrets
import shutil
import string
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kimi_mcp.cluster.asked import Asked
from kimi_mcp.dispatch.admission import (
    Admission,
    LaunchWish,
    admit,
    preview_text,
    the_first,
)
from kimi_mcp.dispatch.elsewhere.asking import asked_of
from kimi_mcp.dispatch.orders import Orders
from kimi_mcp.dispatch.place import described
from kimi_mcp.dispatch.recovery.reconcile import reconcile
from kimi_mcp.dispatch.start import Runner, give_up, runner_started, taken
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import KimiUnusable, Refused
from kimi_mcp.history.ids import DispatchId, RunId, new_dispatch_id
from kimi_mcp.history.records import NewDispatch, NewTask
from kimi_mcp.kimi.detect import Kimi
from kimi_mcp.kimi.dialects import DIALECTS
from kimi_mcp.kimi.home import user_home
from kimi_mcp.quota.forecast import together
from kimi_mcp.quoting.quotes import counted, inline, named, quoted
from kimi_mcp.spec.shelf import slug
from kimi_mcp.workspace.clone import pin
from kimi_mcp.workspace.promised import fetch_promised
from kimi_mcp.workspace.publish import check_prefix_free

NAMED_FILES = 10
PATH_CHARS = 200
OBSTACLE_CHARS = 600
TOKEN_LETTERS = string.ascii_lowercase + string.digits


@dataclass(frozen=True, slots=True, kw_only=True)
class Launched:
    """A dispatch whose runner is at work; *text* says so to the caller."""

    dispatch: DispatchId
    run: RunId
    text: str
    is_again: bool = False  # taken up again: its earlier events are old news


def preview(bench: Workbench, wish: LaunchWish) -> str:
    """Tell what a dispatch would do; nothing is written and nothing runs.

    Raises:
        Refused: there is no such repository, spec, task, profile or commit.
    """
    return preview_text(admit(bench, wish))


def preview_values(bench: Workbench, wish: LaunchWish) -> dict[str, Any]:
    """Tell the same for a script; `text` is what a reader is told.

    Raises:
        Refused: there is no such repository, spec, task, profile or commit.
    """
    found = admit(bench, wish)
    low, high = together(found.budget.forecasts.values())
    return {
        "can_start": not found.obstacles,
        "obstacles": list(found.obstacles),
        "spec": found.path,
        "repository": str(found.repository.root),
        "base": found.start.base,
        "tasks": [task.number for task in found.tasks],
        "profile": found.profile_name,
        "expected_steps": [low, high],
        "text": preview_text(found),
    }


def launch(bench: Workbench, wish: LaunchWish) -> Launched:
    """Start a dispatch.

    Raises:
        Refused: something stands in the way; nothing was made.
        Unready: the runner did not start; what was made is undone.
    """
    with runner_started(bench) as runner:
        return _launch(bench, wish, runner)


def _launch(bench: Workbench, wish: LaunchWish, runner: Runner) -> Launched:
    reconcile(bench)
    admission = admit(bench, wish)
    if admission.kimi is None:
        raise KimiUnusable(admission.obstacles[-1])
    if admission.obstacles:
        found = "\n".join(
            f"- {inline(obstacle, limit=OBSTACLE_CHARS)}"
            for obstacle in the_first(admission.obstacles)
        )
        raise Refused(f"{quoted(admission.path, limit=PATH_CHARS)} cannot be dispatched:\n{found}")
    asked = asked_of(admission.settings, bench.environ)
    dispatch = _new_id(admission)
    check_prefix_free(admission.repository, admission.settings.branch_prefix, dispatch)
    fetch_promised(admission.repository, admission.start.base)
    with _made(bench, dispatch) as lifeline:
        bench.history.add(
            _rows(bench, admission, dispatch, admission.kimi, asked), at=bench.stamp()
        )
        try:
            # nothing else refers to a snapshot, and the user's gc may run at any time
            pin(admission.repository, dispatch, admission.start.base)
        except BaseException:
            give_up(bench, dispatch)
            raise
        runner.carry_out(dispatch, lifeline=lifeline)
    text = _started_text(admission, dispatch)
    return Launched(dispatch=dispatch, run=RunId(dispatch), text=text)


@contextmanager
def _made(bench: Workbench, dispatch: DispatchId) -> Generator[int]:
    """Make the folder of a dispatch and hold its lifeline; nothing is left where no row is."""
    with taken(bench, dispatch) as lifeline:
        try:
            yield lifeline
        except Refused:
            shutil.rmtree(bench.state.run(dispatch).root, ignore_errors=True)
            raise


def _new_id(admission: Admission) -> DispatchId:
    token = "".join(secrets.choice(TOKEN_LETTERS) for _ in range(4))
    return new_dispatch_id(admission.spec.number or 0, slug(admission.spec.title), token)


def _rows(
    bench: Workbench,
    admission: Admission,
    dispatch: DispatchId,
    kimi: Kimi,
    asked: Asked | None,
) -> NewDispatch:
    limits, profile = admission.settings.limits, admission.profile
    orders = Orders(
        kimi_argv=kimi.argv,
        kimi_version=kimi.version,
        kimi_dialect=kimi.dialect,
        kimi_home=str(user_home(bench.environ, DIALECTS[kimi.dialect])),
        tasks=tuple(task.number for task in admission.tasks),
        steps=admission.budget.capped(profile.steps),
        tool_timeout_ms=profile.tool_timeout_ms,
        thinking=profile.thinking,
        model=profile.model,
        subagents=profile.subagents,
        fan_out=admission.fan_out,
        kimi_keys=profile.kimi,
        max_parallel=admission.max_parallel,
        branch_prefix=admission.settings.branch_prefix,
        setup=admission.setup.commands,
        bring=admission.bring,
        attempts=limits.attempts,
        task_s=limits.task_s,
        silence_s=limits.silence_s,
        tool_s=limits.tool_s,
        retries=limits.retries,
        check_s=limits.check_s,
        setup_s=limits.setup_s,
        grace_s=limits.grace_s,
        free_bytes=limits.free_bytes,
        clones_days=admission.settings.keep.clones_days,
        history_days=admission.settings.keep.history_days,
        history_bytes=admission.settings.keep.history_bytes,
        kimis=limits.kimis,
        fence=admission.settings.fence,
        is_check_network_cut=admission.settings.check_network == "loopback",
        allow_read=_absolute(admission.settings.allow_read),
        allow_write=_absolute(admission.settings.allow_write),
        caches=str(bench.state.tool_caches(admission.repository.common_dir)),
        kimi_files=(str(bench.state.kimi_install), str(bench.state.compile_cache)),
        cluster=asked.to_json() if asked else None,
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
        base_commit=admission.start.base,
        base_branch=admission.start.branch,
        snapshot_of=admission.start.snapshot_of,
        profile=admission.profile_name,
        orders=orders.to_json(),
        session=bench.session,
        account=admission.budget.account,
        findings=len(admission.findings),
        tasks=tuple(
            NewTask(
                number=task.number,
                title=task.title,
                depends_on=task.depends_on,
                forecast=admission.budget.forecasts[task.number].to_json(),
            )
            for task in admission.tasks
        ),
    )


def _absolute(paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(Path(path).expanduser()) for path in paths)


def _started_text(admission: Admission, dispatch: DispatchId) -> str:
    count = len(admission.tasks)
    tasks = counted(count, "task")
    lines = [f"{dispatch}: running, {tasks} from {described(admission.repository)}."]
    if admission.start.snapshot_of is not None:
        lines.append("It begins from a snapshot of your files; only what Kimi changes is landed.")
    if uncommitted := admission.start.uncommitted:
        lines.append(
            "Not part of the base, for they are uncommitted: "
            f"{named(uncommitted, most=NAMED_FILES)}. "
            "Kimi works on the committed versions."
        )
    lines += [f"Note: {note}." for note in admission.notes]
    lines += filter(None, [admission.budget.said])
    lines.append(
        f"It goes on without this call: get_result dispatch={dispatch} wait_s=300 waits for news, "
        "cancel_dispatch stops it."
    )
    return "\n".join(lines)
