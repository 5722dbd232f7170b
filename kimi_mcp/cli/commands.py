"""One function a command: call the use case, print what it says, return the exit code."""

import argparse
from contextlib import aclosing
from functools import partial

import anyio

from kimi_mcp.dispatch import listing, showing
from kimi_mcp.dispatch.admission import LaunchWish
from kimi_mcp.dispatch.cancel import cancel
from kimi_mcp.dispatch.follow import follow
from kimi_mcp.dispatch.launch import launch, preview
from kimi_mcp.dispatch.planning import PlanWish, write_spec
from kimi_mcp.dispatch.progress import Progress
from kimi_mcp.dispatch.review import report
from kimi_mcp.dispatch.showing import View
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import Refused
from kimi_mcp.history.ids import DispatchId, dispatch_id

__all__ = ["View", "demo", "dispatch", "doctor", "history", "serve", "show", "spec", "stop"]


def serve(_: argparse.Namespace) -> int:
    """Serve MCP over stdin and stdout."""
    from kimi_mcp.server.app import serve as run_server  # noqa: PLC0415  it costs 0.6 s

    run_server()
    return 0


def demo(arguments: argparse.Namespace) -> int:
    """Run the whole loop on a scratch repository."""
    from kimi_mcp.demo.tour import tour  # noqa: PLC0415  it brings a web server

    return tour(is_real=arguments.real, say=print)


def doctor(_: argparse.Namespace) -> int:
    """Check every link of the chain."""
    from kimi_mcp.cli.doctor import examine  # noqa: PLC0415  only here

    findings = examine(Workbench.open())
    for finding in findings:
        print(finding.line)
    return 0 if all(finding.is_good for finding in findings) else 1


def spec(arguments: argparse.Namespace) -> int:
    """Turn a plan into a spec."""
    wish = PlanWish(plan_path=arguments.plan, repo=arguments.repo, is_dry_run=arguments.dry_run)
    print(write_spec(Workbench.open(), wish))
    return 0


def dispatch(arguments: argparse.Namespace) -> int:
    """Let Kimi carry out a spec, and follow it to the end."""
    bench = Workbench.open()
    wish = LaunchWish(
        spec=arguments.spec,
        tasks=_numbers(arguments.tasks),
        profile=arguments.profile,
        base=arguments.base,
        repo=arguments.repo,
    )
    if arguments.dry_run:
        print(preview(bench, wish))
        return 0
    launched = launch(bench, wish)
    print(launched.text, flush=True)
    if arguments.background:
        return 0
    anyio.run(_print_progress, bench, launched.dispatch)
    found = report(bench, launched.dispatch)
    print(showing.final_text(found))
    return 0 if len(found.delivered) == len(found.tasks) else 1


def show(arguments: argparse.Namespace) -> int:
    """Show one view of a dispatch."""
    bench = Workbench.open()
    chosen = showing.chosen(bench, arguments.dispatch)
    print(showing.show(bench, chosen, view=View(arguments.view), task=arguments.task))
    return 0


def history(arguments: argparse.Namespace) -> int:
    """List the dispatches."""
    before = None if arguments.before is None else dispatch_id(arguments.before)
    print(listing.dispatch_table(Workbench.open(), before=before))
    return 0


def stop(arguments: argparse.Namespace) -> int:
    """Stop a dispatch, and wait until it has stopped."""
    bench = Workbench.open()
    chosen = showing.chosen(bench, arguments.dispatch)
    is_live = anyio.run(partial(cancel, bench, chosen, tasks=None, reason="kimi-mcp stop"))
    print(showing.show(bench, chosen))
    if not is_live:
        print("Nothing of it was running.")
    return 0


async def _print_progress(bench: Workbench, dispatch: DispatchId) -> None:
    progress = Progress([task.number for task in bench.history.tasks(dispatch)])
    async with aclosing(follow(bench, dispatch)) as events:
        async for event in events:
            line = progress.line(event)
            if line is not None:
                print(f"  {line}", flush=True)


def _numbers(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise Refused(f"--tasks takes numbers like 1,3, not {text!r}.") from error
