"""Taking a dispatch that is over up again: resuming what was interrupted, revising what was done.

One runner at a time works on a dispatch, so one writer at a time on a Kimi session. The limits and
the spec are those kept at the dispatch; the Kimi is the one that is usable now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kimi_mcp import globs
from kimi_mcp.dispatch.admission import LaunchWish
from kimi_mcp.dispatch.errand import Amendments, Errand, Purpose
from kimi_mcp.dispatch.interruption import is_interrupted
from kimi_mcp.dispatch.landing.discard import is_discarded, settled_tasks
from kimi_mcp.dispatch.launch import Launched, launch
from kimi_mcp.dispatch.recovery.reconcile import reconcile
from kimi_mcp.dispatch.repositories import repository_of
from kimi_mcp.dispatch.start import runner_started, taken
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import Refused, nearest_sentence
from kimi_mcp.history.ids import DispatchId, RunId, dispatch_id
from kimi_mcp.history.records import Change, Task
from kimi_mcp.lifecycle import DispatchState, TaskState
from kimi_mcp.quoting.quotes import quoted
from kimi_mcp.reading import shown
from kimi_mcp.spec.answers import read_verification
from kimi_mcp.spec.entries import FileEntry, Operation
from kimi_mcp.workspace.holdings import exists
from kimi_mcp.workspace.scope import can_be_allowed

NAME_CHARS = 120
_OPERATIONS = {"A": Operation.CREATE, "M": Operation.MODIFY, "D": Operation.DELETE}


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionWish:
    """What a reviewer wants of one task."""

    task: int
    feedback: str | None = None
    allow_files: tuple[str, ...] = ()
    drop_files: tuple[str, ...] = ()
    verification: tuple[str, ...] | None = None


def launch_or_resume(bench: Workbench, wish: LaunchWish) -> Launched:
    """Start a dispatch of a spec, or resume the dispatch whose id stands in the spec's place.

    Raises:
        Refused: something stands in the way; nothing was made.
        Unready: the runner did not start.
    """
    try:
        dispatch = dispatch_id(wish.spec.strip())
    except Refused:
        return launch(bench, wish)
    if wish.base or wish.profile or wish.max_parallel:
        raise Refused(
            "A resumed dispatch keeps its base, profile and parallelism; leave those arguments out."
        )
    return resume(bench, bench.history.dispatch(dispatch).id, tasks=wish.tasks)


def resume(
    bench: Workbench, dispatch: DispatchId, *, tasks: tuple[int, ...] | None = None
) -> Launched:
    """Continue every interrupted task of a dispatch, each in its own Kimi session, then merge.

    Raises:
        Refused: it still runs, or nothing of it was interrupted.
        Unready: the runner did not start.
    """
    rows = _over(bench, dispatch)
    wanted = [row for row in rows if tasks is None or row.number in tasks]
    interrupted = [row.number for row in wanted if is_interrupted(row)]
    is_unmerged = bench.history.dispatch(dispatch).state is not DispatchState.FINISHED and any(
        row.state is TaskState.DELIVERED for row in rows
    )
    if not interrupted and not is_unmerged:
        raise Refused(
            f"Nothing of {dispatch} was interrupted. revise_task works on a finished task again; "
            "a changed spec is dispatched anew."
        )
    waiting = [row.number for row in wanted if row.state is TaskState.SKIPPED]
    errand = Errand(purpose=Purpose.RESUME, tasks=tuple(sorted([*interrupted, *waiting])))
    run = _send(bench, dispatch, errand, {})
    named = ", ".join(str(number) for number in errand.tasks)
    what = f"tasks {named}" if named else "to merge what was delivered"
    return Launched(
        dispatch=dispatch, run=run, is_again=True, text=f"{dispatch}: running again, {what}."
    )


def revise(bench: Workbench, dispatch: DispatchId, wish: RevisionWish) -> Launched:
    """Have Kimi work on a task again with *feedback*, or without it judge the task anew.

    Raises:
        Refused: it still runs, the task was never begun, or a file named is not part of its work.
        Unready: the runner did not start.
    """
    _over(bench, dispatch)
    row = bench.history.task(dispatch, wish.task)
    if (how := settled_tasks(bench, dispatch).get(wish.task)) is not None:
        raise Refused(
            f"Task {wish.task} of {dispatch} has left it ({how}). Dispatch a spec with what is "
            "still to be done."
        )
    attempts = bench.history.attempts(dispatch, wish.task)
    if not attempts:
        raise Refused(f"Task {wish.task} of {dispatch} was never begun ({row.state}); resume it.")
    if attempts[-1].ended_at is None:
        raise Refused(
            f"Task {wish.task} of {dispatch} goes on at {attempts[-1].node}. Resume the dispatch "
            "first: that takes up what was done there."
        )
    if wish.feedback is not None and wish.drop_files:
        raise Refused(
            "drop_files is judged without Kimi: leave feedback out, or tell Kimi instead."
        )
    if wish.feedback is None and attempts[-1].commit_id is None:
        raise Refused(f"Task {wish.task} of {dispatch} has no work to judge; give feedback.")
    changes = bench.history.changes(dispatch, wish.task, attempts[-1].attempt)
    amendments = _amended(row, changes, wish)
    errand = Errand(
        purpose=Purpose.JUDGE if wish.feedback is None else Purpose.REVISE,
        tasks=(wish.task,),
        feedback=wish.feedback,
        drop_files=tuple(change.path for change in _chosen(changes, wish.drop_files, "changed")),
    )
    run = _send(bench, dispatch, errand, {wish.task: amendments.to_json()}, revised=wish.task)
    how = "judged anew, without Kimi" if wish.feedback is None else "with your words"
    text = f"{dispatch}: task {wish.task} {how}."
    return Launched(dispatch=dispatch, run=run, is_again=True, text=text)


def _over(bench: Workbench, dispatch: DispatchId) -> tuple[Task, ...]:
    """Return the tasks of a dispatch that is over."""
    reconcile(bench)
    found = bench.history.dispatch(dispatch)
    if not found.state.is_terminal:
        raise Refused(
            f"{dispatch} is still running. Wait for it (get_result wait_s=300) or cancel it first."
        )
    if is_discarded(bench, dispatch):
        raise Refused(f"{dispatch} was discarded. Dispatch its spec anew.")
    tasks = bench.history.tasks(dispatch)
    repository = repository_of(bench.history.dispatch(dispatch))
    for task in tasks:
        if task.commit_id is not None and not exists(repository.common_dir, task.commit_id):
            raise Refused(
                f"What task {task.number} of {dispatch} delivered is no longer in the repository: "
                "it was landed or removed. Dispatch a spec with what is still to be done."
            )
    return tasks


def _send(
    bench: Workbench,
    dispatch: DispatchId,
    errand: Errand,
    amendments: Mapping[int, dict[str, object]],
    *,
    revised: int | None = None,
) -> RunId:
    with runner_started(bench) as runner, taken(bench, dispatch) as lifeline:
        run = bench.history.reopen(
            dispatch,
            errand=errand.to_json(),
            tasks=errand.tasks,
            amendments=amendments,
            at=bench.stamp(),
            revised=revised,
        )
        if run is None:
            raise Refused(f"{dispatch} was taken up by somebody else just now; look again.")
        runner.carry_out(dispatch, lifeline=lifeline)
    return run


def _amended(row: Task, changes: Sequence[Change], wish: RevisionWish) -> Amendments:
    """Add what this wish amends to what earlier ones did."""
    before = Amendments.from_json(row.amendments)
    strays = [change for change in changes if change.stray_reason is not None]
    allowed = [_entry(change) for change in _chosen(strays, wish.allow_files, "out of scope")]
    if wish.verification is not None:
        for text in wish.verification:
            read_verification(text)  # what is no command is refused now, not in the runner
    return replace(
        before,
        files=(*before.files, *(str(entry) for entry in allowed)),
        verification=before.verification if wish.verification is None else wish.verification,
    )


def _chosen(changes: Sequence[Change], wanted: Sequence[str], what: str) -> list[Change]:
    """Return the changes that the paths or globs *wanted* name."""
    chosen: list[Change] = []
    for pattern in wanted:
        matching = [change for change in changes if globs.matches(pattern, change.path)]
        if not matching:
            known = [quoted(change.path, limit=NAME_CHARS) for change in changes]
            near = nearest_sentence(pattern, known) or " There are none."
            raise Refused(f"{shown(pattern)} is not among the files {what} in this task.{near}")
        chosen += matching
    return chosen


def _entry(change: Change) -> FileEntry:
    if change.status not in _OPERATIONS or not can_be_allowed(change.stray_reason or ""):
        path = quoted(change.path, limit=NAME_CHARS)
        raise Refused(f"{path} cannot be allowed: {change.stray_reason}. Drop it instead.")
    return FileEntry(operation=_OPERATIONS[change.status], path=change.path)
