"""The addresses under which dispatches and their tasks are read, and which of them are listed.

Claude Code 2.1.330 attaches only what is listed, so what a person may mean is listed concretely:
every live dispatch and the newest ones. The rest is reached page by page from the first.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kimi_mcp.dispatch.recovery.reconcile import reconcile
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.records import Dispatch
from kimi_mcp.quoting.quotes import quoted

ALL = "kimi://dispatches"
RECENT = 10
TITLE_CHARS = 60


@dataclass(frozen=True, slots=True)
class Address:
    """A resource and what it is called."""

    uri: str
    title: str


def page_uri(dispatch: DispatchId) -> str:
    """Address a dispatch."""
    return f"{ALL}/{dispatch}"


def older_uri(dispatch: DispatchId) -> str:
    """Address the dispatches before one."""
    return f"{ALL}/before/{dispatch}"


def diff_uri(dispatch: DispatchId, task: int) -> str:
    """Address what a task changed."""
    return f"{ALL}/{dispatch}/tasks/{task}/diff"


def transcript_uri(dispatch: DispatchId, task: int) -> str:
    """Address a task's steps."""
    return f"{ALL}/{dispatch}/tasks/{task}/transcript"


def shown(bench: Workbench) -> tuple[Dispatch, ...]:
    """Return the dispatches that are listed: the live and the newest, newest first."""
    reconcile(bench)
    newest = bench.history.recent(limit=RECENT)
    known = {dispatch.id for dispatch in newest}
    return (*newest, *(one for one in reversed(bench.history.live()) if one.id not in known))


def listed(bench: Workbench) -> tuple[Address, ...]:
    """Name the resources of the dispatches that are listed."""
    found: list[Address] = []
    for dispatch in shown(bench):
        name = f"{quoted(dispatch.spec_title, limit=TITLE_CHARS)} ({dispatch.state})"
        found.append(Address(page_uri(dispatch.id), name))
        for task in bench.history.tasks(dispatch.id):
            title = f"task {task.number}, {quoted(task.title, limit=TITLE_CHARS)}"
            found.append(Address(diff_uri(dispatch.id, task.number), f"Diff of {title}"))
            found.append(Address(transcript_uri(dispatch.id, task.number), f"Steps of {title}"))
    return tuple(found)


Marks = Mapping[DispatchId, tuple[str, int]]


def marks(bench: Workbench) -> Marks:
    """Note how far each listed dispatch has come: its state, and how much has happened."""
    return {
        dispatch.id: (dispatch.state, bench.history.last_event(dispatch.id))
        for dispatch in shown(bench)
    }
