"""The history as a Markdown table, newest first, and one dispatch as a page."""

from dataclasses import dataclass
from datetime import datetime

from kimi_mcp.dispatch.errand import Amendments
from kimi_mcp.dispatch.recovery.reconcile import reconcile
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.records import Attempt, DispatchOverview
from kimi_mcp.history.times import timestamp
from kimi_mcp.lifecycle import DispatchState
from kimi_mcp.quoting.quotes import inline, named, quoted
from kimi_mcp.review.addresses import older_uri
from kimi_mcp.review.landings import landing_line
from kimi_mcp.review.report import TaskReport, report
from kimi_mcp.review.wording import headline, summary

PAGE = 50
TITLE_CHARS = 100
PATH_CHARS = 200
NAMED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some dispatches, newest first, and whether there are older ones that fit."""

    dispatches: tuple[DispatchOverview, ...]
    has_older: bool

    @property
    def last(self) -> DispatchId | None:
        """The id before which the next page begins."""
        return self.dispatches[-1].id if self.dispatches else None


def page(
    bench: Workbench,
    *,
    before: DispatchId | None = None,
    repository: str | None = None,
    state: DispatchState | None = None,
    since: datetime | None = None,
    limit: int = PAGE,
) -> Page:
    """Gather the newest dispatches, or those before one, that fit.

    Raises:
        Refused: there is none of the id *before*.
    """
    reconcile(bench)
    if before is not None:
        bench.history.dispatch(before)
    found = bench.history.overview(
        before=before,
        repository=repository,
        state=state,
        since=None if since is None else timestamp(since),
        limit=limit + 1,
    )
    return Page(dispatches=found[:limit], has_older=len(found) > limit)


def dispatch_table(bench: Workbench, *, before: DispatchId | None = None) -> str:
    """Tell the newest dispatches, or those before one; the last line says how to go on.

    Raises:
        Refused: there is none of the id *before*.
    """
    found = page(bench, before=before)
    if found.last is None:
        return "Nothing was dispatched " + ("yet." if before is None else f"before {before}.")
    older = [f"\nOlder: {older_uri(found.last)}"] if found.has_older else []
    return "\n".join([*table(found), *older])


HEADS = ("dispatch", "state", "delivered", "steps", "repository", "started")


def table(found: Page) -> list[str]:
    """Write a page as the lines of a Markdown table."""
    lines = [f"| {' | '.join(HEADS)} |", f"|{'---|' * len(HEADS)}"]
    return [*lines, *(f"| {' | '.join(cells(one))} |" for one in found.dispatches)]


def cells(about: DispatchOverview) -> list[str]:
    """Write a dispatch as the cells of a row under `HEADS`."""
    delivered = f"{about.delivered}/{about.tasks}"
    delivered += f", {about.unchecked} UNCHECKED" if about.unchecked else ""
    started = (about.started_at or about.created_at)[:16].replace("T", " ")
    return [about.id, about.state, delivered, str(about.steps), about.repository, started]


def dispatch_page(bench: Workbench, dispatch: DispatchId) -> str:
    """Tell one dispatch whole: spec, tasks, attempts, checks, branches.

    Raises:
        Refused: there is none of that id.
    """
    reconcile(bench)
    found = report(bench, dispatch)
    about = found.dispatch
    envelope = bench.envelope()
    title = quoted(about.spec_title, limit=TITLE_CHARS)
    parts = [
        f"# {headline(found)}",
        f"Spec: {title} ({quoted(about.spec_path, limit=PATH_CHARS)})",
        f"Repository: {about.repository} at {about.base_commit[:10]}"
        + (f" on {about.base_branch}" if about.base_branch else ""),
        f"Profile: {about.profile}. Made {about.created_at}, ended {about.ended_at or '-'}.",
        "",
        summary(found, envelope=envelope),
    ]
    for task in found.tasks:
        parts += _attempts(task)
    if found.landings:
        parts += ["", "Landings:", *map(landing_line, found.landings)]
    text = bench.history.spec_text(dispatch)
    parts += ["", "The spec as it was dispatched:", envelope.around(text)]
    return "\n".join([*parts, *(line for task in found.tasks for line in _amendments(task))])


def _amendments(report: TaskReport) -> list[str]:
    """Tell what reviewers have changed of the spec as the dispatch keeps it."""
    number, since = report.task.number, Amendments.from_json(report.task.amendments)
    lines: list[str] = []
    if since.files:
        told = named(since.files, most=NAMED, limit=PATH_CHARS)
        lines.append(f"Files of task {number} since then, too: {told}")
    if since.verification is not None:
        told = named(since.verification, most=NAMED, limit=PATH_CHARS)
        lines.append(f"Verification of task {number} since then: {told or 'none'}")
    return lines


def _attempts(task: TaskReport) -> list[str]:
    if not task.attempts:
        return []
    return ["", f"Attempts at task {task.task.number}:", *map(_attempt, task.attempts)]


def _attempt(attempt: Attempt) -> str:
    tokens = (
        f"{attempt.input_tokens} tokens in ({attempt.cached_tokens} cached), "
        f"{attempt.output_tokens} out"
    )
    commit = (attempt.commit_id or "")[:10]
    kept = f"; commit {commit}, kept as {attempt.ref}" if attempt.ref else ""
    name = attempt.session_id
    session = f"; session {quoted(name, limit=TITLE_CHARS)}" if name else ""
    node = f" on {inline(attempt.node, limit=TITLE_CHARS)}" if attempt.node else ""
    return f"- {attempt.attempt}{node}: {attempt.steps} steps, {tokens}{kept}{session}"
