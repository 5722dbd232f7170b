"""Throwing a dispatch's work away, because the user said so. The history keeps the commits' ids.

A branch that somebody has moved is not ours to remove: it is named, and nothing else goes either.
"""

from kimi_mcp.dispatch.housekeeping.inventory import inventory
from kimi_mcp.dispatch.housekeeping.sweep import Worth, remove_clones
from kimi_mcp.dispatch.landing.landable import SHORT, at_rest
from kimi_mcp.dispatch.repositories import prefix_of, repository_of
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import Refused
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.landings import How, Landing
from kimi_mcp.workspace.holdings import holdings, remove

NAMED = 4


def is_discarded(bench: Workbench, dispatch: DispatchId) -> bool:
    """Tell whether a dispatch was discarded as a whole."""
    return any(one.how is How.DISCARD and one.is_whole for one in bench.history.landings(dispatch))


def settled_tasks(bench: Workbench, dispatch: DispatchId) -> dict[int, How]:
    """Say of each task that is on a branch of the user's, or was discarded, how it got there."""
    return {
        task: one.how
        for one in bench.history.landings(dispatch)
        if one.how in {How.SQUASH, How.MERGE, How.DISCARD}
        for task in one.tasks
    }


def discard(bench: Workbench, dispatch: DispatchId, *, tasks: tuple[int, ...] | None) -> str:
    """Remove the branches, refs and clones of a dispatch, or only the refs of these tasks.

    Raises:
        Refused: it still runs, or a branch was moved or is checked out; nothing was removed.
    """
    found = at_rest(bench, dispatch)
    numbers = tuple(sorted(bench.history.task(dispatch, number).number for number in tasks or ()))
    is_whole = tasks is None
    repository = repository_of(found)
    held = holdings(repository, prefix_of(found), dispatch)
    left = inventory(bench, found, repository, held)
    doomed = [holding for holding in left.refs if is_whole or _belongs_to(holding.ref, numbers)]
    foreign = [holding.ref for holding in doomed if left.refs[holding] is Worth.FOREIGN]
    if foreign:
        raise Refused(
            f"{', '.join(foreign[:NAMED])} is not where kimi-mcp left it: somebody has worked on "
            "it. Nothing was removed. Remove it by hand, or rename it, then retry."
        )
    if is_whole and not remove_clones(bench.history, found, bench.state.run(dispatch)):
        raise Refused(f"{dispatch} was taken up by somebody else just now; look again.")
    pins = [left.pin] if is_whole and left.pin is not None else []
    remove(repository, [*doomed, *pins])
    if not doomed and not pins and is_discarded(bench, dispatch):
        return f"{dispatch}: discarded already. Nothing was changed."
    bench.history.record_landing(
        dispatch,
        Landing(
            how=How.DISCARD,
            tasks=numbers or tuple(task.number for task in bench.history.tasks(dispatch)),
            is_whole=is_whole,
            at=bench.stamp(),
        ),
    )
    return _told(dispatch, [holding.commit for holding in doomed], is_whole=is_whole)


def _belongs_to(ref: str, numbers: tuple[int, ...]) -> bool:
    last = ref.rsplit("/", 1)[1].partition(".")[0]
    return any(last == f"task-{number}" for number in numbers)


def _told(dispatch: DispatchId, commits: list[str], *, is_whole: bool) -> str:
    ids = list(dict.fromkeys(commit[:SHORT] for commit in commits))
    kept = f" Its commits were {', '.join(ids[:NAMED])}" if ids else ""
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    again = (
        " Until git tidies up, `git branch NAME ID` brings one back. "
        "The spec can be dispatched anew."
        if is_whole
        else " Until git tidies up, `git branch NAME ID` brings one back."
    )
    what = "with its clones" if is_whole else "of these tasks"
    return f"{dispatch}: discarded, {len(commits)} refs {what} removed.{kept}{more}.{again}"
