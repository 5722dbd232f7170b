"""What every way of landing needs: the work, the words of its commit, and the record of it."""

from kimi_mcp.dispatch.landing.landable import Landable
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.landings import How, Landing
from kimi_mcp.quoting.quotes import inline
from kimi_mcp.workspace.draft import Work

TITLE_CHARS = 72  # the usual bound of a commit message


def message(found: Landable, how: How) -> str:
    """Word the commit of a landing."""
    title = inline(found.dispatch.spec_title, limit=TITLE_CHARS)
    tasks = [f"- {inline(task.title, limit=TITLE_CHARS)}" for task in found.tasks]
    head = f"Merge Kimi's work: {title}" if how is How.MERGE else title
    return "\n".join([head, "", *tasks, "", f"Kimi-Dispatch: {found.dispatch.id}", ""])


def work_of(found: Landable) -> Work:
    """Describe what is landed as the workspace wants it, with a free ref for the user's version."""
    return Work(
        base=found.dispatch.base_commit,
        commit=found.commit,
        name=found.name,
        kept_ref=f"refs/kimi/{found.dispatch.id}/yours-{len(found.landings) + 1}",
        is_on_snapshot=found.dispatch.snapshot_of is not None,
    )


def record(
    bench: Workbench,
    found: Landable,
    how: How,
    *,
    target: str | None = None,
    result: str | None = None,
    url: str | None = None,
) -> None:
    """Write a landing into the history: where the work went, and what it became there."""
    bench.history.record_landing(
        found.dispatch.id,
        Landing(
            how=how,
            tasks=found.numbers,
            is_whole=found.is_whole,
            head=found.commit,
            target=target,
            result=result,
            url=url,
            at=bench.stamp(),
        ),
    )
