"""The runs of the history as the tasks that a client waits for.

Nothing of a task lives in this process, so any server answers for any run. What is remembered is
only which dispatches this client waits for: its model need not wait for them a second time.
"""

from typing import TYPE_CHECKING

import anyio

from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId, RunId
from kimi_mcp.lifecycle import DispatchState
from kimi_mcp.server.replies import Reply, result_of
from kimi_mcp.server.tasks import Job

if TYPE_CHECKING:
    from kimi_mcp.review.standing import Standing, Standings

REASON = "the user stopped the task"


class Runs:
    """The tasks of one server: see `tasks.Jobs`."""

    def __init__(self, bench: Workbench) -> None:
        self._bench = bench
        self._standings: Standings | None = None
        self._answers: dict[str, RunId] = {}
        self._awaited: set[DispatchId] = set()

    def hand_over(self, request: str, run: RunId) -> None:
        """Let *run* answer the tool call *request*."""
        self._answers[request] = run

    async def handed_over(self, request: str) -> Job | None:
        """Return the run that was begun for *request*, once; None where there is none."""
        run = self._answers.pop(request, None)
        return None if run is None else await self.look(run)

    async def look(self, job: str) -> Job | None:
        """Return a run as it stands, and note that it is awaited; None where it is not known."""
        standing = await anyio.to_thread.run_sync(self._stand, job)
        if standing is None:
            return None
        self._awaited.add(standing.run.dispatch)
        return _job(standing)

    async def cancel(self, job: str) -> None:
        """Ask a run to end; its runner keeps the work."""
        await anyio.to_thread.run_sync(self._cancel, job)

    def is_awaited(self, dispatch: DispatchId) -> bool:
        """Tell whether the client waits for *dispatch* by itself."""
        return dispatch in self._awaited

    def _stand(self, name: str) -> "Standing | None":
        from kimi_mcp.review.standing import Standings

        if self._standings is None:
            self._standings = Standings(self._bench)
        return self._standings.of(name)

    def _cancel(self, name: str) -> None:
        run = self._bench.history.run(name)
        if run is not None and run.state is None:
            self._bench.history.request_cancel(run.dispatch, at=self._bench.stamp(), reason=REASON)


def _job(standing: "Standing") -> Job:
    run, end = standing.run, standing.end
    if end is None:
        return Job(
            id=run.id,
            status="working",
            message=standing.line or "starting",
            created_at=run.began_at,
            updated_at=standing.line_at,
            note=_note(run.id, run.dispatch),
        )
    is_cancelled = end.state is DispatchState.CANCELLED
    reply = Reply(text=end.text, is_error=not end.is_delivered)
    return Job(
        id=run.id,
        status="cancelled" if is_cancelled else "completed",
        message=standing.line,
        created_at=run.began_at,
        updated_at=standing.line_at,
        result=None if is_cancelled else result_of(reply),
    )


def _note(run: RunId, dispatch: DispatchId) -> str:
    return (
        f"{run} goes on in the background. Do not edit the files of its tasks and do not "
        "poll: end your turn, the result will wake you. cancel_dispatch stops it and keeps the "
        f"work; get_result dispatch={dispatch} shows how it stands when the user asks."
    )
