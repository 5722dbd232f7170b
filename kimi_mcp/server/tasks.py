"""Long calls the native way: the tasks extension (SEP-2663, protocol 2026-07-28).

A call that would keep its client waiting is answered with a task; the client asks for it until it
is over and then hands the result to its model. Claude Code 2.1.330 does so in interactive sessions:
it wakes the model with the result, and asks a new server process by the same id after a restart.
What the tasks are is somebody else's matter (`Jobs`); the SDK has no support for the extension.
"""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.extension import Extension, MethodBinding
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    CallToolRequestParams,
    CallToolResult,
    RequestParams,
)
from pydantic import ConfigDict, Field

TASKS = "io.modelcontextprotocol/tasks"
VERSIONS = frozenset({"2026-07-28"})  # of the protocol that have the extension
POLL_MS = 1000
#: Claude Code 2.1.330 shows this text to the model together with its own words about the task.
NOTE = "com.anthropic/agent-task"

Context = ServerRequestContext[Any, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work that goes on without a call, as it stands."""

    id: str  # at most 128 printable ASCII characters
    status: Literal["working", "completed", "cancelled", "failed"]
    message: str | None
    created_at: str
    updated_at: str
    result: CallToolResult | None = None  # when completed; a tool's own error is a result too
    error: dict[str, Any] | None = None  # when failed: as JSON-RPC has it
    note: str | None = None  # what the model should know at once; read when a call is handed over


class Jobs(Protocol):
    """What the tasks of a server are. A job that is over never changes again."""

    async def handed_over(self, request: str) -> Job | None:
        """Return the job that answers the tool call *request*, which has just ended."""
        ...

    async def look(self, job: str) -> Job | None:
        """Return a job as it stands; None when there is none of that id."""
        ...

    async def cancel(self, job: str) -> None:
        """Ask a job to end; one that is over stays as it is."""
        ...


class _TaskParams(RequestParams):
    # an answer to a question belongs here as well; no job of ours asks any
    model_config = ConfigDict(extra="ignore")
    task_id: str = Field(alias="taskId")


class Tasks(Extension):
    """Answers tool calls with tasks, and says how they stand."""

    identifier = TASKS

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    def methods(self) -> list[MethodBinding]:
        """Serve the three methods of the extension."""
        return [
            MethodBinding("tasks/get", _TaskParams, self.get, VERSIONS),
            MethodBinding("tasks/update", _TaskParams, self.update, VERSIONS),
            MethodBinding("tasks/cancel", _TaskParams, self.cancel, VERSIONS),
        ]

    async def intercept_tool_call(
        self, params: CallToolRequestParams, ctx: Context, call_next: CallNext
    ) -> HandlerResult:
        """Do a tool call, and answer with a task where it was handed over."""
        del params
        answer = await call_next(ctx)
        job = await self._jobs.handed_over(str(ctx.request_id))
        if job is None:
            return answer
        note = {"_meta": {NOTE: {"modelImmediateResponse": job.note}}} if job.note else {}
        return {"resultType": "task", **_wire(job), **note}

    async def get(self, ctx: Context, params: _TaskParams) -> HandlerResult:
        """Answer `tasks/get`: the state of one task of the client's."""
        return _wire(await self._known(ctx, params))

    async def update(self, ctx: Context, params: _TaskParams) -> HandlerResult:
        """Answer `tasks/update`: nothing was asked, so there is nothing to take in."""
        await self._known(ctx, params)
        return {}

    async def cancel(self, ctx: Context, params: _TaskParams) -> HandlerResult:
        """Answer `tasks/cancel`: the wish is recorded, the end is seen by `tasks/get`."""
        job = await self._known(ctx, params)
        await self._jobs.cancel(job.id)
        return {}

    async def _known(self, ctx: Context, params: _TaskParams) -> Job:
        if not takes_tasks(ctx):
            raise MCPError(
                code=MISSING_REQUIRED_CLIENT_CAPABILITY,
                message=f"This request does not declare the capability {TASKS}.",
                data={"requiredCapabilities": {"extensions": {TASKS: {}}}},
            )
        job = await self._jobs.look(params.task_id)
        if job is None:
            raise MCPError(code=INVALID_PARAMS, message=f"No task {params.task_id!r}.")
        return job


def takes_tasks(ctx: Context) -> bool:
    """Tell whether this very request may be answered with a task.

    Claude Code declares it in interactive sessions, but not for the calls of a subagent.
    """
    declared = ctx.session.client_capabilities
    extensions = declared.extensions if declared and declared.extensions else {}
    return ctx.protocol_version in VERSIONS and TASKS in extensions


def _wire(job: Job) -> dict[str, Any]:
    task: dict[str, Any] = {
        "taskId": job.id,
        "status": job.status,
        "createdAt": job.created_at,
        "lastUpdatedAt": job.updated_at,
        "ttlMs": None,  # kept as long as the history is
        "pollIntervalMs": POLL_MS,
    }
    if job.message:
        task["statusMessage"] = job.message
    if job.result is not None:
        task["result"] = job.result.model_dump(by_alias=True, mode="json", exclude_none=True)
    if job.error is not None:
        task["error"] = job.error
    return task
