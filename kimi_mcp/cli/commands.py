"""One function a command: call the use case, print what it says, return the exit code."""

import argparse
import json
from dataclasses import asdict
from functools import partial

import anyio

from kimi_mcp.cli.following import followed, until_over
from kimi_mcp.cli.printing import opened, say, say_json, say_page
from kimi_mcp.cli.telling import tell
from kimi_mcp.cli.waiting import timing
from kimi_mcp.dispatch import retake, switching
from kimi_mcp.dispatch.admission import LaunchWish
from kimi_mcp.dispatch.cancel import cancel
from kimi_mcp.dispatch.launch import Launched, preview, preview_values
from kimi_mcp.dispatch.planning import trusting
from kimi_mcp.dispatch.planning.specs import PlanWish, plan_values, write_spec
from kimi_mcp.dispatch.retake import RevisionWish, launch_or_resume
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import Refused
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.review import economy, quota_page, showing
from kimi_mcp.review.report import report, stretches
from kimi_mcp.review.values import whole_values
from kimi_mcp.review.wording import headline


def demo(arguments: argparse.Namespace) -> int:
    """Run the whole loop on a scratch repository."""
    from kimi_mcp.demo.tour import tour  # noqa: PLC0415  it brings a web server

    return tour(
        is_real=arguments.real,
        say=tell,
        timing=timing,
        opened=opened,
    )


def spec(arguments: argparse.Namespace) -> int:
    """Turn a plan into a spec."""
    wish = PlanWish(
        plan_path=arguments.plan,
        repo=arguments.repo,
        is_dry_run=arguments.dry_run or (arguments.json and not arguments.write),
        is_persons=True,
    )
    bench = opened()
    if arguments.json:
        told = plan_values(bench, wish)
        print(json.dumps(told, ensure_ascii=False, indent=2))
        return 0 if told["tasks"] else 2
    say(bench, write_spec(bench, wish))
    return 0


def dispatch(arguments: argparse.Namespace) -> int:
    """Let Kimi carry out a spec, and follow it to the end."""
    bench = opened()
    wish = LaunchWish(
        spec=arguments.spec,
        tasks=numbers(arguments.tasks),
        profile=arguments.profile,
        base=arguments.base,
        repo=arguments.repo,
        is_over_quota=arguments.over_quota,
    )
    if arguments.dry_run and arguments.json:
        say_json(bench, preview_values(bench, wish))
        return 0
    if arguments.dry_run:
        say(bench, preview(bench, wish))
        return 0
    launched = launch_or_resume(bench, wish)
    if arguments.json:
        return _as_json(bench, launched, is_background=arguments.background)
    return _follow(bench, launched, is_background=arguments.background)


def resume(arguments: argparse.Namespace) -> int:
    """Continue what was interrupted of a dispatch, and follow it to the end."""
    bench = opened()
    chosen = showing.chosen(bench, arguments.dispatch)
    return _follow(bench, retake.resume(bench, chosen, tasks=numbers(arguments.tasks)))


def revise(arguments: argparse.Namespace) -> int:
    """Have a task worked on or judged again, and follow it to the end."""
    bench = opened()
    wish = RevisionWish(
        task=arguments.task,
        feedback=arguments.feedback,
        allow_files=tuple(arguments.allow),
        drop_files=tuple(arguments.drop),
        verification=None if arguments.check is None else tuple(arguments.check),
    )
    launched = retake.revise(bench, showing.chosen(bench, arguments.dispatch), wish)
    return _follow(bench, launched, revised=arguments.task)


def stop(arguments: argparse.Namespace) -> int:
    """Stop a dispatch, and wait until it has stopped."""
    bench = opened()
    chosen = showing.chosen(bench, arguments.dispatch)
    is_live = anyio.run(partial(cancel, bench, chosen, tasks=None, reason="kimi-mcp stop"))
    say(bench, showing.show(bench, chosen))
    if not is_live:
        tell("Nothing of it was running.")
    return 0


def profile(arguments: argparse.Namespace) -> int:
    """List the profiles, or switch to one."""
    bench = opened()
    told = None if arguments.name is None else switching.switch_to(bench, arguments.name)
    if arguments.json:
        say_json(bench, {**switching.profile_values(bench), "told": told})
    elif told is None:
        say_page(bench, switching.list_profiles(bench))
    else:
        say_page(bench, told)
    return 0


def quota(arguments: argparse.Namespace) -> int:
    """Tell what was spent of the quota, or what the tasks have cost."""
    bench = opened()
    match (arguments.report, arguments.json):
        case True, True:
            say_json(bench, [asdict(one) for one in economy.worked_tasks(bench)])
        case True, False:
            say_page(bench, economy.economy_report(bench))
        case False, True:
            say_json(bench, quota_page.quota_values(bench))
        case _:
            say_page(bench, quota_page.quota_page(bench))
    return 0


def trust(arguments: argparse.Namespace) -> int:
    """Trust the commands of a file as it is now, or end that."""
    bench = opened()
    if arguments.list:
        tell(trusting.trusted(bench))
    elif arguments.revoke:
        tell(trusting.revoke(bench, arguments.file))
    else:
        say(bench, trusting.trust(bench, arguments.file))
    return 0


def watch(arguments: argparse.Namespace) -> int:
    """Show how a dispatch goes on, to its end or until the person leaves."""
    bench = opened()
    return _watched(bench, showing.chosen_live(bench, arguments.dispatch))


def _follow(
    bench: Workbench,
    launched: Launched,
    *,
    is_background: bool = False,
    revised: int | None = None,
) -> int:
    """Print what happens to the end, and what came of it."""
    say(bench, launched.text)
    return 0 if is_background else _watched(bench, launched.dispatch, revised=revised)


def _as_json(bench: Workbench, launched: Launched, *, is_background: bool) -> int:
    """Wait for the end without a word, then tell all of it to a script."""
    if not is_background:
        anyio.run(until_over, bench, launched.dispatch)
    found = report(bench, launched.dispatch)
    say_json(bench, whole_values(found, stretches(bench, launched.dispatch)))
    return 0 if is_background or len(found.delivered) == len(found.tasks) else 1


def _watched(bench: Workbench, dispatch: DispatchId, *, revised: int | None = None) -> int:
    is_seen = followed(bench, dispatch)
    found = report(bench, dispatch)
    if not is_seen:
        say(bench, headline(found))
        tell(
            f"It goes on. See it: `kimi-mcp watch {dispatch}`. End it: `kimi-mcp stop {dispatch}`."
        )
        return 0
    say(bench, showing.final_text(found, bench.envelope()))
    if revised is not None:
        return 0 if found.is_newest_delivered(revised) else 1
    return 0 if len(found.delivered) == len(found.tasks) else 1


def numbers(text: str | None) -> tuple[int, ...] | None:
    """Read task numbers like `1,3`.

    Raises:
        Refused: they are none.
    """
    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise Refused(f"--tasks takes numbers like 1,3, not {text!r}.") from error
