"""The history as a Markdown table, newest first, and one dispatch as a page."""

from kimi_mcp.dispatch.recover import reconcile
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.records import Attempt
from kimi_mcp.quoting import fenced, inline
from kimi_mcp.review.report import Report, TaskReport, report
from kimi_mcp.review.wording import headline, summary

PAGE = 50


def dispatch_table(
    bench: Workbench, *, before: DispatchId | None = None, repository: str | None = None
) -> str:
    """Tell the newest dispatches, or those before one; the last line says how to go on.

    Raises:
        Refused: there is none of the id *before*.
    """
    reconcile(bench)
    if before is not None:
        bench.history.dispatch(before)
    found = bench.history.recent(before=before, repository=repository, limit=PAGE + 1)
    lines = [
        "| dispatch | state | delivered | steps | repository | started |",
        "|---|---|---|---|---|---|",
    ]
    lines += [_row(report(bench, dispatch.id)) for dispatch in found[:PAGE]]
    if len(found) > PAGE:
        lines.append(f"\nOlder: kimi://dispatches/before/{found[PAGE - 1].id}")
    if not found:
        return "Nothing was dispatched " + ("yet." if before is None else f"before {before}.")
    return "\n".join(lines)


def dispatch_page(bench: Workbench, dispatch: DispatchId) -> str:
    """Tell one dispatch whole: spec, tasks, attempts, checks, branches.

    Raises:
        Refused: there is none of that id.
    """
    reconcile(bench)
    found = report(bench, dispatch)
    about = found.dispatch
    parts = [
        f"# {headline(found)}",
        f"Spec: {inline(about.spec_title, limit=100)} ({about.spec_path})",
        f"Repository: {about.repository} at {about.base_commit[:10]}"
        + (f" on {about.base_branch}" if about.base_branch else ""),
        f"Profile: {about.profile}. Made {about.created_at}, ended {about.ended_at or '-'}.",
        "",
        summary(found),
    ]
    for task in found.tasks:
        parts += _attempts(task)
    parts += ["", "The spec as it was dispatched:", fenced(bench.history.spec_text(dispatch))]
    return "\n".join(parts)


def _row(found: Report) -> str:
    about = found.dispatch
    unchecked = sum(not task.task.is_checked for task in found.delivered)
    delivered = f"{len(found.delivered)}/{len(found.tasks)}"
    delivered += f", {unchecked} UNCHECKED" if unchecked else ""
    started = (about.started_at or about.created_at)[:16].replace("T", " ")
    cells = [about.id, about.state, delivered, str(found.steps), about.repository, started]
    return f"| {' | '.join(cells)} |"


def _attempts(task: TaskReport) -> list[str]:
    if not task.attempts:
        return []
    return ["", f"Attempts at task {task.task.number}:", *map(_attempt, task.attempts)]


def _attempt(attempt: Attempt) -> str:
    tokens = (
        f"{attempt.input_tokens} tokens in ({attempt.cached_tokens} cached), "
        f"{attempt.output_tokens} out"
    )
    kept = f"; kept as {attempt.ref}" if attempt.ref else ""
    session = f"; session {attempt.session_id}" if attempt.session_id else ""
    return f"- {attempt.attempt}: {attempt.steps} steps, {tokens}{kept}{session}"
