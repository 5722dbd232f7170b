"""A dispatch as one page to attach to a pull request: timeline, tasks, checks, diffs.

Self-contained: no script at all, no style or picture from elsewhere, and a policy in the page that
lets the browser load none. All text is escaped by `markup`. Paths of this machine are left out.
"""

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from pathlib import Path

from kimi_mcp import __version__
from kimi_mcp.history.records import Check
from kimi_mcp.lifecycle import TaskState
from kimi_mcp.quoting.shapes import Redact
from kimi_mcp.review import proof
from kimi_mcp.review.axis import axis
from kimi_mcp.review.board import clock, listed
from kimi_mcp.review.diffs import TaskDiff
from kimi_mcp.review.landings import landing_line
from kimi_mcp.review.markup import Maker, Node, written
from kimi_mcp.review.report import Report, TaskReport
from kimi_mcp.review.timeline import Stretch
from kimi_mcp.review.wording import headline

GENERATOR = f"kimi-mcp {__version__}"
GENERATOR_MARK = '<meta name="generator" content="kimi-mcp '
_STYLE = resources.files("kimi_mcp.review").joinpath("page.css").read_text(encoding="utf-8")
_HEADS = ("", "task", "state", "steps", "checks", "files", "after")
_GOOD, _BAD, _WARN = "good", "bad", "warn"


def page(
    found: Report, stretches: Sequence[Stretch], diffs: Iterable[TaskDiff], *, redact: Redact
) -> str:
    """Write a dispatch as one HTML page that needs nothing else: no script, no file, no address."""
    make = Maker(redact)
    shown = {one.task.task.number: one for one in diffs}
    body = [
        make.node("h1", headline(found)),
        _facts(make, found),
        make.node("h2", "Tasks"),
        _tasks(make, found),
        make.node("h2", "Timeline"),
        *_timeline(make, stretches),
    ]
    for task in found.tasks:
        body += _task(make, task, shown.get(task.task.number))
    body.append(
        make.node(
            "p",
            "What stands in quotes, outputs and diffs was made by Kimi or by programs that it "
            f"wrote; it is data. Made by {GENERATOR}.",
            class_="dim",
        )
    )
    return written(
        make.node("html", _head(make, headline(found)), make.node("body", *body), lang="en")
    )


def _head(make: Maker, title: str) -> Node:
    digest = b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    style = make.node("style")
    style.text = _STYLE  # ours: it is written as it is
    return make.node(
        "head",
        make.node("meta", charset="utf-8"),
        make.node("meta", http_equiv="Content-Security-Policy", content=policy),
        make.node("meta", name="generator", content=GENERATOR),
        make.node("meta", name="referrer", content="no-referrer"),
        make.node("meta", name="viewport", content="width=device-width"),
        make.node("title", title),
        style,
    )


def _facts(make: Maker, found: Report) -> Node:
    about = found.dispatch
    base = about.base_commit[:10] + (f" on {about.base_branch}" if about.base_branch else "")
    facts = {
        "Spec": f"{about.spec_title} ({about.spec_path})",
        "Repository": Path(about.repository).name,
        "Base": base,
        "Result": (about.merged_commit or "")[:10] or "no merged commit",
        "Profile": about.profile,
        "Time": f"{_time(about.created_at)} to {_time(about.ended_at)} UTC",
        "Steps": f"{found.steps}"
        + (f", predicted {found.expected[0]} to {found.expected[1]}" if found.expected else ""),
    }
    rows = [make.row("td", (make.node("strong", name), text)) for name, text in facts.items()]
    rows += [
        make.row("td", (make.node("strong", "Landed"), landing_line(one).removeprefix("- ")))
        for one in found.landings
    ]
    if about.note:
        rows.append(make.row("td", (make.node("strong", "Note"), about.note)))
    return make.node("table", *rows, class_="facts")


def _tasks(make: Maker, found: Report) -> Node:
    rows = [make.row("th", _HEADS)]
    for task in found.tasks:
        about = task.task
        passed = sum(check.is_passed for check in task.checks)
        rows.append(
            make.row(
                "td",
                (
                    str(about.number),
                    make.node("a", about.title, href=f"#task-{about.number}"),
                    _state(make, task),
                    str(about.steps),
                    f"{passed} of {len(task.checks)} passed" if task.checks else "none",
                    str(len(task.changes)),
                    listed(about.depends_on),
                ),
            )
        )
    return make.node("table", *rows, class_="tasks")


def _state(make: Maker, task: TaskReport) -> Node:
    about = task.task
    if about.state is not TaskState.DELIVERED:
        return make.node("span", str(about.outcome or about.state), class_=_BAD)
    if not about.is_checked:
        return make.node("span", "delivered, UNCHECKED", class_=_WARN)
    return make.node("span", "delivered", class_=_GOOD)


def _timeline(make: Maker, stretches: Sequence[Stretch]) -> Iterator[Node]:
    for stretch in stretches:
        told = f"Run {stretch.number}, {_time(stretch.began_at)} UTC, {clock(stretch.length_s)}"
        yield make.node("h3", told)
        if stretch.lanes:
            yield axis(make, stretch)
        else:
            yield make.node("p", "No task has begun.", class_="dim")


def _task(make: Maker, task: TaskReport, shown: TaskDiff | None) -> Iterator[Node]:
    about = task.task
    yield make.node("h2", f"Task {about.number}: {about.title}", id=f"task-{about.number}")
    yield make.node("p", _state(make, task), f" {about.sentence or ''}")
    if warning := proof.warning(task):
        yield make.node("p", warning.strip(), class_=_WARN)
    if task.latest and (words := task.latest.quote or task.latest.closing_words):
        yield make.node("blockquote", words)
    if lines := proof.findings([task], limit=_MOST_CHARS):
        yield make.node("ul", *(make.node("li", line) for line in lines))
    yield make.node("h3", "Checks")
    for check in task.checks:
        yield _check(make, check)
    if not task.checks:
        yield make.node("p", "No command was run.", class_="dim")
    yield make.node("h3", "Changes")
    for change in task.changes:
        yield make.node("div", make.node("code", change.path), f" {change.status} {change.extent}")
    if shown is None:
        yield make.node("p", "Nothing was changed.", class_="dim")
    else:
        yield _diff(make, shown)


_MOST_CHARS = 20_000


def _check(make: Maker, check: Check) -> Node:
    style = _GOOD if check.is_passed else _BAD
    told = make.node("span", proof.result(check), class_=style)
    summary = make.node("summary", make.node("code", check.command), " ", told)
    output = make.node("pre", check.output_tail or "(no output)")
    if check.is_passed:
        return make.node("details", summary, output)
    return make.node("details", summary, output, open="open")


def _diff(make: Maker, shown: TaskDiff) -> Node:
    if shown.shown is None:
        return make.node("p", shown.gone, class_="dim")
    # the text as a whole: a secret may span lines
    lines = make.text(shown.shown.text).splitlines()
    plain = Maker(str)
    diff = plain.node("pre", *(plain.node("span", line, class_=_style(line)) for line in lines))
    left_out = [
        make.node("p", f"Left out for size: {name}", class_="dim") for name in shown.shown.left_out
    ]
    return make.node("details", make.node("summary", "Diff"), diff, *left_out, open="open")


def _style(line: str) -> str:
    if line.startswith(("diff --git ", "--- ", "+++ ")):
        return "head"
    return {"+": "plus", "-": "minus", "@": "place"}.get(line[:1], "same")


def _time(at: str | None) -> str:
    return at[:16].replace("T", " ") if at else "now"
