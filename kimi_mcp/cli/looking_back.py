"""`history` and `show`: what was dispatched, and what came of it."""

import argparse
import re
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kimi_mcp.cli import printing
from kimi_mcp.cli.telling import columns, tell
from kimi_mcp.cli.verbs import TIMELINE
from kimi_mcp.cli.wrapping import wrapped
from kimi_mcp.dispatch.place import repository_for
from kimi_mcp.dispatch.recovery.salvaging import salvage_history
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import Refused
from kimi_mcp.history.ids import dispatch_id
from kimi_mcp.lifecycle import DispatchState
from kimi_mcp.quoting.harmless import harmless
from kimi_mcp.review import listing, proof, showing
from kimi_mcp.review.diffs import TaskDiff, task_diffs
from kimi_mcp.review.page import GENERATOR_MARK, page
from kimi_mcp.review.report import Report, TaskReport, report, stretches
from kimi_mcp.review.timeline import of_task, timeline_text
from kimi_mcp.review.transcript import whole
from kimi_mcp.review.values import whole_values
from kimi_mcp.review.view import View
from kimi_mcp.review.wording import headline
from kimi_mcp.state import StateFolder

_TO_BEGIN_WITH = "`kimi-mcp demo` shows all of it without an account."
_AGE = re.compile(r"(\d{1,4})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_PIPED_COLUMNS = 100
_MOST_BYTES = 20_000_000
_MOST_PAGE_BYTES = 3_000_000  # of diffs: a browser must be able to show it
_HEAD_CHARS = 2000


def history(arguments: argparse.Namespace) -> int:
    """List the dispatches, or salvage a damaged history."""
    if arguments.salvage:
        tell(salvage_history(StateFolder.locate()))
        return 0
    before = None if arguments.before is None else dispatch_id(arguments.before)
    bench = printing.opened()
    repo = arguments.repo and str(repository_for(bench, repo=arguments.repo).root)
    found = listing.page(
        bench,
        before=before,
        repository=repo,
        state=arguments.state and DispatchState(arguments.state),
        since=since(arguments.since, now=bench.now()),
        limit=arguments.limit,
    )
    if arguments.json:
        printing.say_json(bench, [asdict(one) for one in found.dispatches])
    elif found.last is None:
        is_all = not (before or repo or arguments.state or arguments.since)
        tell(f"{showing.NOTHING_YET} {_TO_BEGIN_WITH}" if is_all else "No dispatch fits.")
    elif printing.is_terminal():
        _draw_history(bench, found)
    else:
        printing.say(bench, "\n".join(listing.table(found)))
    if found.has_older and not arguments.json:
        tell(f"Older: add --before {found.last}")
    return 0


def since(text: str | None, *, now: datetime) -> datetime | None:
    """Read a date (`2026-11-01`, with or without a time, UTC) or an age (`12h`, `7d`, `2w`).

    Raises:
        Refused: it is neither.
    """
    if text is None:
        return None
    if age := _AGE.fullmatch(text):
        return now - int(age[1]) * _UNITS[age[2]]
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refused(
            f"--since takes a date like 2026-11-01 or an age like 12h, 7d, 2w, not {text!r}."
        ) from error
    return when if when.tzinfo else when.replace(tzinfo=UTC)


def show(arguments: argparse.Namespace) -> int:
    """Show one view of a dispatch, or write all of it as JSON or as a page."""
    bench = printing.opened()
    chosen = showing.chosen(bench, arguments.dispatch)
    found = report(bench, chosen)
    task = arguments.task
    if task is not None:
        task = bench.history.task(chosen, task).number
    tasks = found.only(task).tasks
    if arguments.html is not None:
        if task is not None:
            raise Refused("The page of --html holds all tasks of a dispatch: leave --task out.")
        written = page(
            found,
            stretches(bench, chosen),
            task_diffs(found, found.tasks, limit_bytes=_MOST_PAGE_BYTES),
            redact=bench.redact,
        )
        print(f"Written: {keep_page(Path(arguments.html), written)}")
    elif arguments.json:
        printing.say_json(bench, whole_values(found, stretches(bench, chosen), task=task))
    elif arguments.view == TIMELINE:
        shown = of_task(stretches(bench, chosen), task)
        text = timeline_text(shown, columns=columns() if printing.is_terminal() else _PIPED_COLUMNS)
        printing.say(bench, f"{headline(found)}\n\n{text}")
    elif printing.is_terminal() and arguments.view == View.DIFF:
        _draw_diffs(bench, found, tasks)
    elif printing.is_terminal() and arguments.view == View.TRANSCRIPT:
        _draw_transcripts(bench, found, tasks, from_step=arguments.from_step)
    else:
        view = View(arguments.view)
        text = showing.show(bench, chosen, view=view, task=task, from_step=arguments.from_step)
        printing.say(bench, text)
    return 0


def keep_page(file: Path, text: str) -> Path:
    """Write a page to *file*, in the place of an earlier one at most; return where it lies.

    Raises:
        Refused: something else is there, or it cannot be written.
    """
    try:
        if file.exists() and GENERATOR_MARK not in file.read_text("utf-8", "replace")[:_HEAD_CHARS]:
            raise Refused(f"{file} is there and is no report of kimi-mcp. Name another file.")
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Refused(f"{file} cannot be written: {error.strerror}. Name another file.") from error
    return file.absolute()


def _draw_history(bench: Workbench, found: listing.Page) -> None:
    from kimi_mcp.cli.drawing import draw, table, width  # noqa: PLC0415  it loads rich

    rows: list[list[str]] = []
    for one in found.dispatches:
        *cells, repository, started = listing.cells(one)
        rows.append([*map(bench.redact, [*cells, started, _at_home(repository)])])
    *heads, repository, started = listing.HEADS
    heads += [f"{started} (UTC)", repository]
    room = columns()
    if width(heads, rows) > room:
        rows = [[*cells, Path(place).name] for *cells, place in rows]
    draw(table(heads, rows, columns=room, right=["steps"]))
    tell(f"One of them: `kimi-mcp show {found.dispatches[0].id}`.")


def _at_home(path: str) -> str:
    home = str(Path.home())
    return f"~{path.removeprefix(home)}" if path.startswith(f"{home}/") else path


def _draw_diffs(bench: Workbench, found: Report, tasks: tuple[TaskReport, ...]) -> None:
    from kimi_mcp.cli.drawing import diff, draw_paged  # noqa: PLC0415  it loads rich

    shown = [*task_diffs(found, tasks, limit_bytes=_MOST_BYTES)]
    parts = [part for one in shown for part in _parts(one)]
    draw_paged(
        headline(found),
        *(
            diff(bench.redact(text)) if is_diff else bench.redact(text)
            for is_diff, text in parts or [(False, "There is no change yet.")]
        ),
    )


def _parts(one: TaskDiff) -> list[tuple[bool, str]]:
    if one.shown is None:
        return [(False, one.gone)]
    about = [one.head, *(proof.natures(one.task) if one.is_standing else [])]
    left_out = [f"Left out for size: {harmless(name)}" for name in one.shown.left_out]
    return [
        *((False, line) for line in about),
        (True, one.shown.text),
        *((False, line) for line in left_out),
    ]


def _draw_transcripts(
    bench: Workbench, found: Report, tasks: tuple[TaskReport, ...], *, from_step: int
) -> None:
    from kimi_mcp.cli.drawing import draw_paged  # noqa: PLC0415  it loads rich

    lines = [headline(found)]
    for task in tasks:
        number = task.task.number
        told = whole(bench.history.events(found.dispatch.id, task=number), from_step=from_step)
        lines += [f"Task {number}:", *(told or ["(no step yet)"])]
    draw_paged(wrapped(bench.redact("\n".join(lines)), columns()))
