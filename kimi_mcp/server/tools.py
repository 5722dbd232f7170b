"""The tools: translation only. Validate, call one use case, shape the reply.

A use case is imported when it is first called: the first answer to a client must not wait for the
Markdown parser and the rest of the house.
"""

from collections.abc import Callable
from functools import partial
from inspect import getdoc
from typing import TYPE_CHECKING, Annotated, Any, Literal

import anyio
import anyio.to_thread
from mcp.server import MCPServer
from mcp.types import ToolAnnotations
from pydantic import Field

from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.review.view import View
from kimi_mcp.server.person import OVER_QUOTA, agreed
from kimi_mcp.server.replies import Answer, Reply, in_thread, replying
from kimi_mcp.server.running import Running
from kimi_mcp.server.streaming import Call
from kimi_mcp.server.task_fields import TaskFields

if TYPE_CHECKING:
    from kimi_mcp.dispatch.launch import Launched

Repo = Annotated[str | None, Field(description="Folder of the repository; default: the project's")]

ENTRY = {"anthropic/alwaysLoad": True}  # Claude Code shows other tools by their name only
WHOLE = {"anthropic/maxResultSizeChars": 60_000}  # a diff is bounded by us, and is to be seen


class Tools:
    """The tools of one server. A method's docstring is what the model reads."""

    def __init__(self, bench: Workbench, running: Running) -> None:
        self._bench = bench
        self._running = running

    def register(self, server: MCPServer[None]) -> None:
        """Offer the tools; results are text, for structured ones would hide it."""

        def add(tool: Callable[..., Any], **about: Any) -> None:
            # getdoc: the SDK would send the source's indentation along
            server.add_tool(tool, description=getdoc(tool), structured_output=False, **about)

        add(
            self.plan_to_spec,
            title="Turn a plan into a spec for Kimi",
            annotations=ToolAnnotations(destructive_hint=False, open_world_hint=False),
            meta=ENTRY,
        )
        add(
            self.dispatch_spec,
            title="Let Kimi carry out a spec",
            annotations=ToolAnnotations(destructive_hint=False, open_world_hint=True),
            meta=ENTRY,
        )
        add(
            self.revise_task,
            title="Have a task worked on or judged again",
            annotations=ToolAnnotations(destructive_hint=False, open_world_hint=True),
        )
        add(
            self.get_result,
            title="Look at a dispatch",
            annotations=ToolAnnotations(read_only_hint=True, open_world_hint=False),
            meta=WHOLE,
        )
        add(
            self.land_result,
            title="Land, publish or discard a result",
            annotations=ToolAnnotations(destructive_hint=True, open_world_hint=True),
        )
        add(
            self.cancel_dispatch,
            title="Stop a dispatch",
            annotations=ToolAnnotations(destructive_hint=False, open_world_hint=False),
        )
        add(
            self.switch_profile,
            title="List or switch Kimi profiles",
            annotations=ToolAnnotations(destructive_hint=True, open_world_hint=False),
        )

    async def plan_to_spec(
        self,
        plan_path: Annotated[
            str | None, Field(description="File of the approved plan; costs no tokens")
        ] = None,
        plan: Annotated[
            str | None, Field(description="The plan's text, if it is in no file")
        ] = None,
        tasks: Annotated[
            list[TaskFields] | None,
            Field(description="Tasks, or answers to holes: fields given replace the plan's"),
        ] = None,
        title: str | None = None,
        spec: Annotated[str | None, Field(description="Update this one: number or path")] = None,
        repo: Repo = None,
        dry_run: Annotated[bool, Field(description="Write nothing")] = False,
    ) -> Answer:
        """Turn an approved plan (or tasks) into a spec that Kimi can execute without searching.

        Replies with the tasks, and with holes to fill by calling again with `tasks`.
        """
        from kimi_mcp.dispatch.planning.specs import PlanWish, write_spec

        wish = PlanWish(
            plan_path=plan_path,
            plan=plan,
            tasks=tuple(task.answer() for task in tasks or ()),
            title=title,
            spec=spec,
            repo=repo,
            is_dry_run=dry_run,
        )
        answer = await replying(in_thread(write_spec, self._bench, wish))
        if not dry_run:
            await anyio.to_thread.run_sync(self._bench.expect_dispatch)
        return answer

    async def dispatch_spec(
        self,
        ctx: Call,
        spec: Annotated[str, Field(description="Number or path; a dispatch id resumes it")],
        tasks: Annotated[list[int] | None, Field(description="Only these task numbers")] = None,
        profile: Annotated[
            str | None, Field(description="moderato, swarm or the user's own")
        ] = None,
        max_parallel: Annotated[int | None, Field(ge=1, le=64)] = None,
        base: Annotated[
            str | None,
            Field(description="Commit to start from; HEAD or WORKTREE when files are dirty"),
        ] = None,
        background: Annotated[
            bool, Field(description="Return at once with the dispatch id")
        ] = False,
        dry_run: Annotated[bool, Field(description="Check only; nothing runs")] = False,
        over_quota: Annotated[bool, Field(description="Only after the user agreed")] = False,
        repo: Repo = None,
    ) -> Answer:
        """Run Kimi on a spec, each task in a private clone on its own branch, and check the result.

        Streams the steps; the work goes on if this call ends. Nothing touches the user's checkout.
        """
        from kimi_mcp.dispatch.admission import LaunchWish
        from kimi_mcp.dispatch.launch import preview
        from kimi_mcp.dispatch.retake import launch_or_resume

        wish = LaunchWish(
            spec=spec,
            tasks=None if tasks is None else tuple(tasks),
            profile=profile,
            max_parallel=max_parallel,
            base=base,
            repo=repo,
            is_over_quota=over_quota,
        )
        if dry_run:
            return await replying(in_thread(preview, self._bench, wish))

        async def run() -> Reply:
            if over_quota:
                await agreed(ctx, OVER_QUOTA.format(spec=spec))
            return await self._running.run(
                ctx, lambda bench: launch_or_resume(bench, wish), is_background=background
            )

        return await replying(run())

    async def revise_task(
        self,
        ctx: Call,
        dispatch: str,
        task: int,
        feedback: Annotated[
            str | None, Field(description="What to change; without it Kimi is not started")
        ] = None,
        allow_files: Annotated[
            list[str] | None, Field(description="Out-of-scope files to accept")
        ] = None,
        drop_files: Annotated[
            list[str] | None, Field(description="Changed files to put back")
        ] = None,
        verification: Annotated[
            list[str] | None, Field(description="Instead of the task's commands")
        ] = None,
    ) -> Answer:
        """Work on a task again: with feedback Kimi's session goes on, a new attempt.

        Without feedback no step is spent: scope and checks are judged again.
        """
        from kimi_mcp.dispatch.retake import RevisionWish, revise
        from kimi_mcp.review.showing import chosen

        wish = RevisionWish(
            task=task,
            feedback=feedback,
            allow_files=tuple(allow_files or ()),
            drop_files=tuple(drop_files or ()),
            verification=None if verification is None else tuple(verification),
        )

        def start(bench: Workbench) -> "Launched":
            return revise(bench, chosen(bench, dispatch), wish)

        return await replying(self._running.run(ctx, start))

    async def get_result(
        self,
        ctx: Call,
        dispatch: Annotated[
            str | None, Field(description="Dispatch id; default: the latest one")
        ] = None,
        task: int | None = None,
        view: View = View.SUMMARY,
        path: Annotated[str | None, Field(description="Diff of this file or folder only")] = None,
        from_step: Annotated[int, Field(ge=1, description="Transcript from here")] = 1,
        wait_s: Annotated[
            float, Field(ge=0, le=600, description="Wait this long for a task to end")
        ] = 0,
    ) -> Answer:
        """Show what came of a dispatch, or how it stands: summary, diff, transcript or checks."""
        from kimi_mcp.review.showing import show

        shown = partial(
            show,
            view=view,
            task=task,
            paths=() if path is None else (path,),
            from_step=from_step,
        )

        return await replying(self._running.look(ctx, dispatch, wait_s=wait_s, show=shown))

    async def land_result(
        self,
        ctx: Call,
        dispatch: str,
        how: Literal["apply", "squash", "merge", "pull_request", "discard"],
        tasks: Annotated[list[int] | None, Field(description="These, and what they need")] = None,
        head: Annotated[str | None, Field(description="Commit that was reviewed")] = None,
    ) -> Answer:
        """Land delivered work, whole or not at all. Only after the user agreed.

        apply (recommended) leaves it uncommitted in the checkout; squash and merge commit onto the
        base branch; pull_request pushes and opens a draft; discard removes.
        """
        from kimi_mcp.dispatch.landing.consent import question
        from kimi_mcp.dispatch.landing.land import LandWish, land
        from kimi_mcp.history.landings import How
        from kimi_mcp.review.showing import chosen

        numbers = None if tasks is None else tuple(tasks)
        wish = LandWish(how=How(how), tasks=numbers, head=head)

        async def work() -> Reply:
            meant = await anyio.to_thread.run_sync(chosen, self._bench, dispatch)
            asked = await anyio.to_thread.run_sync(question, self._bench, meant, wish.how)
            if asked is not None:
                await agreed(ctx, asked)
            return await in_thread(land, self._bench, meant, wish)

        return await replying(work())

    async def cancel_dispatch(
        self,
        dispatch: str,
        tasks: Annotated[list[int] | None, Field(description="Only these task numbers")] = None,
    ) -> Answer:
        """Stop Kimi and every process it started; the work done so far is kept."""
        from kimi_mcp.dispatch.cancel import cancel
        from kimi_mcp.review.showing import chosen, show

        async def stop() -> Reply:
            bench = self._bench
            meant = await anyio.to_thread.run_sync(chosen, bench, dispatch)
            numbers = None if tasks is None else tuple(tasks)
            is_live = await cancel(bench, meant, tasks=numbers, reason="cancel_dispatch")
            text = await anyio.to_thread.run_sync(show, bench, meant)
            return Reply(text=text if is_live else f"{text}\nNothing of it was running.")

        return await replying(stop())

    async def switch_profile(
        self,
        name: Annotated[
            str | None, Field(description="Switch to it; only when the user asks")
        ] = None,
    ) -> Answer:
        """List the profiles, or write one into Kimi's own config and make it the default."""
        from kimi_mcp.dispatch.switching import list_profiles, switch_to

        if name is None:
            return await replying(in_thread(list_profiles, self._bench))
        return await replying(in_thread(switch_to, self._bench, name))
