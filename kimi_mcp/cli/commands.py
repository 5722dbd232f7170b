"""One function a command: call the use case, print what it says, return the exit code."""

import argparse
from contextlib import aclosing
from functools import partial

import anyio

from kimi_mcp.dispatch import retake
from kimi_mcp.dispatch.admission import LaunchWish
from kimi_mcp.dispatch.cancel import cancel
from kimi_mcp.dispatch.launch import Launched, preview
from kimi_mcp.dispatch.planning import PlanWish, write_spec
from kimi_mcp.dispatch.retake import RevisionWish, launch_or_resume
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import Refused
from kimi_mcp.history.ids import dispatch_id
from kimi_mcp.review import listing, showing
from kimi_mcp.review.report import report
from kimi_mcp.review.telling import told
from kimi_mcp.review.view import View


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
    return _follow(bench, launch_or_resume(bench, wish), is_background=arguments.background)


def resume(arguments: argparse.Namespace) -> int:
    """Continue what was interrupted of a dispatch, and follow it to the end."""
    bench = Workbench.open()
    chosen = showing.chosen(bench, arguments.dispatch)
    return _follow(bench, retake.resume(bench, chosen, tasks=_numbers(arguments.tasks)))


def revise(arguments: argparse.Namespace) -> int:
    """Have a task worked on or judged again, and follow it to the end."""
    bench = Workbench.open()
    wish = RevisionWish(
        task=arguments.task,
        feedback=arguments.feedback,
        allow_files=tuple(arguments.allow),
        drop_files=tuple(arguments.drop),
        verification=None if arguments.check is None else tuple(arguments.check),
    )
    launched = retake.revise(bench, showing.chosen(bench, arguments.dispatch), wish)
    return _follow(bench, launched, revised=arguments.task)


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


def _follow(
    bench: Workbench,
    launched: Launched,
    *,
    is_background: bool = False,
    revised: int | None = None,
) -> int:
    """Print what happens to the end, and what came of it."""
    print(launched.text, flush=True)
    if is_background:
        return 0
    anyio.run(_print_progress, bench, launched)
    found = report(bench, launched.dispatch)
    print(showing.final_text(found))
    if revised is not None:
        return 0 if found.is_newest_delivered(revised) else 1
    return 0 if len(found.delivered) == len(found.tasks) else 1


async def _print_progress(bench: Workbench, launched: Launched) -> None:
    lines = told(bench, launched.dispatch, is_from_now=launched.is_again)
    async with aclosing(lines) as happening:
        async for _, line in happening:
            if line is not None:
                print(f"  {line}", flush=True)


def _numbers(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise Refused(f"--tasks takes numbers like 1,3, not {text!r}.") from error
