"""How it is told what checks prove, and what they do not. Pure."""

from collections import Counter
from collections.abc import Sequence
from itertools import accumulate, zip_longest

from kimi_mcp.history.records import Check, Finding, FindingKind, Rerun
from kimi_mcp.quoting.quotes import inline, quoted
from kimi_mcp.review.report import TaskReport

NAME_CHARS = 80
FINDING_CHARS = 200
NATURES_SHOWN = 8


def result(check: Check) -> str:
    """Say how a check ended: its first run, its second, and the same command on the base."""
    parts = [f"{_first(check)} ({check.duration_ms / 1000:.1f} s)"]
    if check.again is not None:
        parts.append(f"{check.again} when run again")
    if check.on_base is not None and (check.on_base is Rerun.FAILED or check.is_passed):
        parts.append(f"{'fails' if check.on_base is Rerun.FAILED else 'passes'} on the base too")
    elif check.on_base is not None:
        parts.append("passes on the base")
    return ", ".join(parts)


def is_weakened(task: TaskReport) -> bool:
    """Whether something that the task's checks rest on proves less than on the base."""
    return any(finding.kind is FindingKind.WEAKENED for finding in task.findings)


def is_leaky(task: TaskReport) -> bool:
    """Whether a secret was written into one of the task's files."""
    return any(finding.kind is FindingKind.SECRET for finding in task.findings)


def warning(task: TaskReport) -> str | None:
    """Say in a short line what a reviewer must look at before believing; nothing if nothing."""
    kinds = Counter(finding.kind for finding in task.findings)
    passed = [check for check in task.checks if check.is_passed]
    counts = {
        "SECRET": kinds[FindingKind.SECRET],
        "WEAKENED": kinds[FindingKind.WEAKENED],
        "expectation changed": kinds[FindingKind.EXPECTATION],
        "flaky": sum(check.again is Rerun.PASSED for check in passed),
        "passing on the base": sum(check.on_base is Rerun.PASSED for check in passed),
    }
    told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
    return f"   Found: {told}" if told else None


def findings(tasks: Sequence[TaskReport], *, limit: int) -> list[str]:
    """List what a reviewer must know of the tasks' commits, in about *limit* characters.

    The first of each task come first: no task's many hide another's few.
    """
    of_each = [[*_findings(task), *_strays(task)] for task in tasks]
    told = [line for each in zip_longest(*of_each) for line in each if line is not None]
    sizes = accumulate(len(line) for line in told)
    shown = [line for line, size in zip(told, sizes, strict=True) if size <= limit]
    left = len(told) - len(shown)
    return [*shown, *([f"And {left} more like these; `task` shows one task's."] if left else [])]


def natures(task: TaskReport) -> list[str]:
    """Name in a line the changed files that are more, or other, than lines of text."""
    told = [
        f"{quoted(one.path, limit=NAME_CHARS)}: {one.nature}" for one in task.changes if one.nature
    ]
    more = len(told) - NATURES_SHOWN
    rest = f"; and {more} more" if more > 0 else ""
    return [f"{'; '.join(told[:NATURES_SHOWN])}{rest}."] if told else []


def _findings(task: TaskReport) -> list[str]:
    return [
        f"Task {task.task.number}, {one.kind}: {_place(one)} "
        f"{inline(one.text, limit=FINDING_CHARS)}"
        for one in task.findings
    ]


def _strays(task: TaskReport) -> list[str]:
    return [
        f"Task {task.task.number}, out of scope: {quoted(one.path, limit=NAME_CHARS)}"
        f" ({one.extent}; {one.stray_reason})"
        for one in task.strays
    ]


def _place(finding: Finding) -> str:
    line = f" line {finding.line}" if finding.line is not None else ""
    return f"{quoted(finding.path, limit=NAME_CHARS)}{line}"


def _first(check: Check) -> str:
    if not check.is_begun:
        return f"could not be started: {check.fault}"
    if check.fault is not None:
        return f"proves nothing: {check.fault}, exit code {check.exit_code}"
    if check.exit_code is None:
        return "did not end by itself"
    return "passed" if check.exit_code == 0 else f"failed with exit code {check.exit_code}"
