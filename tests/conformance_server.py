"""What the official conformance suite asks of a server, put on our protocol layer.

    conformance_server.py PORT

The suite knows its fixtures by name and speaks HTTP only. So this is a server of its own, but its
front, its tasks and the way it asks a person are the product's; only the jobs live in memory.
"""

import sys
from base64 import b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import anyio
import anyio.abc
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    Completion,
    ContentBlock,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    EmbeddedResource,
    ImageContent,
    InputRequiredResult,
    TextContent,
    TextResourceContents,
)

from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.server.front import Front
from kimi_mcp.server.news import News
from kimi_mcp.server.replies import Answer, Question, Reply, replying, result_of
from kimi_mcp.server.streaming import Call
from kimi_mcp.server.tasks import Job, Tasks, takes_tasks

PIXEL = b64encode(b"\x89PNG\r\n\x1a\n").decode()
SOUND = b64encode(b"RIFF").decode()


@dataclass(slots=True)
class MemoryJobs:
    """Jobs of the suite's tools: see `tasks.Jobs`."""

    group: anyio.abc.TaskGroup | None = None
    _jobs: dict[str, Job] = field(default_factory=dict[str, Job])
    _answers: dict[str, str] = field(default_factory=dict[str, str])

    async def handed_over(self, request: str) -> Job | None:
        name = self._answers.pop(request, None)
        return self._jobs[name] if name else None

    async def look(self, job: str) -> Job | None:
        return self._jobs.get(job)

    async def cancel(self, job: str) -> None:
        self._end(job, status="cancelled")

    def begin(self, ctx: Call, work: Callable[[], Awaitable[CallToolResult]]) -> None:
        """Let *work* go on as a job that answers the call."""
        name, now = f"job-{len(self._jobs)}", stamp()
        self._jobs[name] = Job(
            id=name, status="working", message="working", created_at=now, updated_at=now
        )
        self._answers[ctx.request_id] = name
        assert self.group is not None
        self.group.start_soon(self._run, name, work)

    async def _run(self, name: str, work: Callable[[], Awaitable[CallToolResult]]) -> None:
        try:
            self._end(name, status="completed", result=await work())
        except ProtocolError as error:
            self._end(name, status="failed", error={"code": -32603, "message": str(error)})

    def _end(self, name: str, **change: Any) -> None:
        if self._jobs[name].status == "working":  # what is over never changes
            self._jobs[name] = replace(self._jobs[name], updated_at=stamp(), **change)


class ProtocolError(Exception):
    """A job fails as a request would."""


class Fixtures:
    """The suite's tools, each doing just what its name says."""

    def __init__(self, jobs: MemoryJobs) -> None:
        self._jobs = jobs

    def register(self, server: MCPServer[None]) -> None:
        tools: tuple[Callable[..., Any], ...] = (
            *(self.greet, self.slow_compute, self.failing_job, self.protocol_error_job),
            *(self.confirm_delete, self.multi_input, self.test_tool_with_task),
            *(self.test_simple_text, self.test_image_content, self.test_audio_content),
            *(self.test_embedded_resource, self.test_multiple_content_types),
            *(self.test_error_handling, self.test_tool_with_progress),
            self.test_input_required_result_elicitation,
        )
        for tool in tools:
            server.add_tool(tool, description=tool.__name__, structured_output=False)
        server.resource("test://static-text", mime_type="text/plain")(static_text)
        server.resource("test://static-binary", mime_type="image/png")(static_binary)
        server.resource("test://template/{id}/data", mime_type="application/json")(data)
        for prompt in (
            *(test_simple_prompt, test_prompt_with_arguments),
            *(test_prompt_with_embedded_resource, test_prompt_with_image),
        ):
            server.prompt(description=prompt.__name__)(prompt)

        async def complete(*_: object) -> Completion:
            return Completion(values=["one", "two"], total=2, has_more=False)

        server.completion()(complete)

    async def greet(self, name: str = "World") -> str:
        return f"Hello, {name}!"

    async def slow_compute(self, ctx: Call, seconds: float = 1, label: str = "") -> Answer:
        async def work() -> CallToolResult:
            with anyio.move_on_after(seconds):
                await anyio.sleep_forever()
            return result_of(Reply(text=f"computed {label}"))

        return await self._inline_or_handed_over(ctx, work)

    async def failing_job(self, ctx: Call) -> Answer:
        async def work() -> CallToolResult:
            return result_of(Reply(text="the job failed", is_error=True))

        return await self._inline_or_handed_over(ctx, work)

    async def protocol_error_job(self, ctx: Call) -> Answer:
        async def work() -> CallToolResult:
            raise ProtocolError("it failed as a request would")

        return await self._inline_or_handed_over(ctx, work)

    async def confirm_delete(self, ctx: Call, filename: str = "it") -> Answer:
        async def work() -> CallToolResult:
            return result_of(Reply(text=f"deleted {filename}"))

        return await self._inline_or_handed_over(ctx, work)

    async def multi_input(self, ctx: Call) -> Answer:
        return await self.confirm_delete(ctx)

    async def test_tool_with_task(self, ctx: Call) -> Answer:
        async def act() -> Reply:
            name = answered_name(ctx)

            async def work() -> CallToolResult:
                return result_of(Reply(text=f"Hello, {name}!"))

            self._jobs.begin(ctx, work)
            return Reply(text="handed over")

        return await replying(act())

    async def test_input_required_result_elicitation(self, ctx: Call) -> Answer:
        async def act() -> Reply:
            return Reply(text=f"Hello, {answered_name(ctx)}!")

        return await replying(act())

    async def test_simple_text(self) -> str:
        return "This is a simple text response for testing."

    async def test_image_content(self) -> list[ContentBlock]:
        return [ImageContent(type="image", data=PIXEL, mime_type="image/png")]

    async def test_audio_content(self) -> list[ContentBlock]:
        return [AudioContent(type="audio", data=SOUND, mime_type="audio/wav")]

    async def test_embedded_resource(self) -> list[ContentBlock]:
        return [embedded("test://embedded-resource")]

    async def test_multiple_content_types(self) -> list[ContentBlock]:
        text = TextContent(type="text", text="Several kinds:")
        image = ImageContent(type="image", data=PIXEL, mime_type="image/png")
        return [text, image, embedded("test://mixed-content-resource")]

    async def test_error_handling(self) -> str:
        raise ToolError("This tool intentionally returns an error for testing")

    async def test_tool_with_progress(self, ctx: Call) -> str:
        for progress in (0, 50, 100):
            await ctx.report_progress(progress, 100)
        return "done"

    async def _inline_or_handed_over(
        self, ctx: Call, work: Callable[[], Awaitable[CallToolResult]]
    ) -> CallToolResult:
        if not takes_tasks(ctx.request_context):
            try:
                return await work()
            except ProtocolError as error:
                raise ToolError(str(error)) from error
        self._jobs.begin(ctx, work)
        return result_of(Reply(text="handed over"))


def static_text() -> str:
    return "Static text."


def static_binary() -> bytes:
    return b"\x89PNG"


def data(id: str) -> str:  # noqa: A002  the suite's name for it
    return f'{{"id": "{id}"}}'


def test_simple_prompt() -> str:
    return "This is a simple prompt for testing."


def test_prompt_with_arguments(arg1: str, arg2: str) -> str:
    return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"


def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:  # noqa: N803
    return [UserMessage(embedded(resourceUri))]


def test_prompt_with_image() -> list[UserMessage]:
    return [UserMessage(ImageContent(type="image", data=PIXEL, mime_type="image/png"))]


def embedded(uri: str) -> EmbeddedResource:
    """Embed a text."""
    contents: TextResourceContents | BlobResourceContents = TextResourceContents(
        uri=uri, mime_type="text/plain", text="Embedded."
    )
    return EmbeddedResource(type="resource", resource=contents)


def answered_name(ctx: Call) -> str:
    """Return what the person answered, or ask."""
    answer = (ctx.input_responses or {}).get("user_name")
    if isinstance(answer, ElicitResult) and answer.action == "accept":
        return str((answer.content or {}).get("name"))
    form = ElicitRequestFormParams(
        message="What is your name?",
        requested_schema={
            "type": "object",
            "properties": {"name": {"type": "string"}},
            "required": ["name"],
        },
    )
    raise Question(InputRequiredResult(input_requests={"user_name": ElicitRequest(params=form)}))


def stamp() -> str:
    """Return this moment as the protocol writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def serve(port: int) -> None:
    """Serve until the process is ended."""
    bench = Workbench.open()
    jobs = MemoryJobs()
    server = Front(
        "conformance", version="1", bench=bench, news=News(bench), extensions=[Tasks(jobs)]
    )
    Fixtures(jobs).register(server)
    async with anyio.create_task_group() as group:
        jobs.group = group
        await server.run_streamable_http_async(host="127.0.0.1", port=port)


if __name__ == "__main__":
    anyio.run(serve, int(sys.argv[1]))
