"""Whole dispatches through the use cases: launched, carried out by a real runner, followed."""

import gzip
import os
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import anyio

from kimi_mcp.demo.script import Call, Reply
from kimi_mcp.dispatch.follow import follow
from kimi_mcp.dispatch.launch import Launched, LaunchWish, launch
from kimi_mcp.dispatch.planning.trusting import trust
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.records import Event
from kimi_mcp.lifecycle import Outcome, TaskState
from kimi_mcp.review.report import Report, TaskReport, report
from kimi_mcp.review.showing import show
from kimi_mcp.review.view import View
from patience import PATIENCE_S
from sandbox import Sandbox

SPEC_PATH = "specs/001-work.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A dispatch that is over."""

    bench: Workbench
    report: Report
    events: tuple[Event, ...]
    text: str  # what the launch replied

    @property
    def id(self) -> DispatchId:
        """The dispatch's id."""
        return self.report.dispatch.id

    def task(self, number: int) -> TaskReport:
        """What came of one task."""
        return next(item for item in self.report.tasks if item.task.number == number)

    def view(self, view: View, task: int | None = None) -> str:
        """Show one view, as `get_result` does."""
        return show(self.bench, self.id, view=view, task=task)

    def notes(self, number: int) -> list[str]:
        """What was noted about one task."""
        return [
            str(event.payload["text"])
            for event in self.events
            if event.task == number and event.kind == "task.noted"
        ]

    @property
    def outcomes(self) -> Mapping[int, Outcome | TaskState]:
        """Why each task failed, else how it stands."""
        return {
            item.task.number: item.task.outcome or item.task.state for item in self.report.tasks
        }


def bench_of(sandbox: Sandbox) -> Workbench:
    """Open what a server started for this project would hold."""
    return Workbench.open({**os.environ, "CLAUDE_PROJECT_DIR": str(sandbox.root)})


def configure(text: str) -> None:
    """Write the user's settings."""
    Path(os.environ["KIMI_MCP_CONFIG"]).write_text(text, encoding="utf-8")


def spec_of(*tasks: str) -> str:
    """Write a spec of these tasks; each text begins with the title, then its blocks."""
    parts = [f"### Task {number}: {text.strip()}\n" for number, text in enumerate(tasks, start=1)]
    return "\n".join(["# Spec: 001 -- Work\n\n## Tasks", *parts])


def at_once(*replies: Reply) -> Reply:
    """Make all the tool calls of *replies* in one answer: one step."""
    calls: tuple[Call, ...] = tuple(one for reply in replies for one in reply.calls)
    return Reply(calls=calls)


def specify(sandbox: Sandbox, spec: str) -> None:
    """Write and commit *spec*, as a user who then trusts it."""
    file = sandbox.write(SPEC_PATH, spec)
    sandbox.commit("Specify")
    trust(bench_of(sandbox), str(file))


async def carried_out(sandbox: Sandbox, spec: str) -> Done:
    """Commit *spec*, dispatch it, and follow it to its end."""
    specify(sandbox, spec)
    return await dispatched(sandbox)


async def dispatched(
    sandbox: Sandbox,
    *,
    bound_s: float = PATIENCE_S,
    max_parallel: int = 2,
    is_over_quota: bool = False,
    base: str | None = None,
) -> Done:
    """Dispatch the spec that was committed, and follow it to its end."""
    bench = bench_of(sandbox)
    wish = LaunchWish(
        spec=SPEC_PATH, max_parallel=max_parallel, is_over_quota=is_over_quota, base=base
    )
    with anyio.fail_after(bound_s):
        launched = await anyio.to_thread.run_sync(launch, bench, wish)
        return await followed(bench, launched)


async def followed(bench: Workbench, launched: Launched) -> Done:
    """Follow a launched dispatch to its end; leaves no runner behind, whatever happens."""
    try:
        async with aclosing(follow(bench, launched.dispatch)) as stream:
            events = [event async for event in stream]
    finally:
        bench.history.request_cancel(launched.dispatch, at=bench.stamp(), reason="the test is over")
    return Done(
        bench=bench,
        report=report(bench, launched.dispatch),
        events=tuple(events),
        text=launched.text,
    )


def branches(sandbox: Sandbox) -> list[str]:
    """Name the branches that dispatches have made."""
    return sandbox.git("for-each-ref", "--format=%(refname:short)", "refs/heads/kimi").splitlines()


def pinned(sandbox: Sandbox) -> list[str]:
    """Name the refs that hold bases and attempts."""
    return sandbox.git("for-each-ref", "--format=%(refname)", "refs/kimi").splitlines()


def printed(file: Path) -> bytes:
    """Read raw output of a dispatch that is over, which its runner may have compressed by now."""
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return gzip.decompress(file.with_name(f"{file.name}.gz").read_bytes())
