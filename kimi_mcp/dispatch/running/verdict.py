"""What an attempt came to. Pure: the second promise in one function.

Delivered means: Kimi ended properly, something changed, only allowed files changed, and our own run
of the spec's commands passed on exactly that commit. Without a command it is delivered, unchecked.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from kimi_mcp.history.records import Change, Check, Rerun
from kimi_mcp.kimi.outcome import RunEnd
from kimi_mcp.lifecycle import EXPLANATIONS, Outcome
from kimi_mcp.quoting.quotes import named, quoted

NAMED_FILES = 3
COMMAND_CHARS = 80
NAME_CHARS = 80
NEXT = " Next: "  # stands in a sentence that needs no general explanation beside it

_MISSING_MODULE = re.compile(
    r"No module named '?(?P<python>[\w.]+)'?"
    r"|Cannot find (?:module|package) ['\"](?P<node>[^'\"]+)['\"]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How an attempt is judged; delivered when there is neither an outcome nor a cancellation."""

    outcome: Outcome | None
    sentence: str
    is_cancelled: bool = False
    is_checked: bool = False
    quote: str | None = None  # what a program said that ended it

    @property
    def is_delivered(self) -> bool:
        """Whether the result may be published."""
        return self.outcome is None and not self.is_cancelled


CANCELLED = Verdict(outcome=None, is_cancelled=True, sentence="It was cancelled.")


def before_checks(end: RunEnd, changes: Sequence[Change]) -> Verdict | None:
    """Judge what needs no check to be judged; nothing when the checks must decide."""
    strays = [change for change in changes if change.stray_reason is not None]
    if end.is_cancelled:
        told = _told(end)
        return replace(CANCELLED, sentence=told) if told else CANCELLED
    if end.outcome is not None:
        return _failed(end.outcome, _told(end))
    if not changes:
        return _doubtful(end) or _failed(Outcome.NO_CHANGE)
    if strays:
        told = ", ".join(
            f"{quoted(s.path, limit=NAME_CHARS)} ({s.extent}; {s.stray_reason})"
            for s in strays[:NAMED_FILES]
        )
        more = f" and {len(strays) - NAMED_FILES} more" if len(strays) > NAMED_FILES else ""
        return _failed(Outcome.OUT_OF_SCOPE, f"Outside the task's list: {told}{more}.")
    return None


def after_checks(checks: Sequence[Check], *, own_names: Collection[str]) -> Verdict:
    """Judge by the commands that we ran; none at all is delivered, unchecked.

    Args:
        checks: in order; the last one may have failed.
        own_names: names that the repository itself should provide, to tell a module that the task
            left out from one that the environment lacks.
    """
    for check in checks:
        if check.is_passed:
            continue
        if obstacle := _missing(check, own_names):
            return _failed(Outcome.SETUP_FAILED, f"{_command(check)} could not run: {obstacle}.")
        also = "; it fails on the base too" if check.on_base is Rerun.FAILED else ""
        return _failed(Outcome.CHECKS_FAILED, f"{_command(check)} {_manner(check)}{also}.")
    if not checks:
        return Verdict(
            outcome=None, sentence="Delivered, unchecked: the task has no command to run."
        )
    told = " ".join([f"{len(checks)} of {len(checks)} checks passed.", *doubts(checks)])
    return Verdict(outcome=None, is_checked=True, sentence=told)


def doubts(checks: Sequence[Check]) -> list[str]:
    """Say, a sentence each, why checks that passed prove less than they seem to."""
    flaky = [_command(check) for check in checks if check.again is Rerun.PASSED]
    empty = [
        _command(check) for check in checks if check.is_passed and check.on_base is Rerun.PASSED
    ]
    told = [f"{', '.join(flaky)} failed first and passed when run again."] if flaky else []
    if empty:
        told.append(f"{', '.join(empty)} passed on the base already: no proof of what was created.")
    return told


def unsettled(paths: Sequence[str]) -> Verdict:
    """Judge work that still holds the markers of a conflict."""
    places = named(paths, most=NAMED_FILES, limit=NAME_CHARS)
    return _failed(Outcome.CHECKS_FAILED, f"Markers of the conflict are left in {places}.")


def doubted(judged: Verdict, end: RunEnd) -> Verdict:
    """Keep a proper end that is in doubt from counting, unless our own checks vouch for it."""
    is_vouched = judged.is_delivered and judged.is_checked
    return judged if is_vouched or judged.is_cancelled else _doubtful(end) or judged


def own_names(paths: Collection[str]) -> frozenset[str]:
    """Return the names under which the files *paths* could be imported."""
    return frozenset(
        name
        for path in paths
        for part in PurePosixPath(path).parts
        for name in (part.split(".")[0],)
    )


def _doubtful(end: RunEnd) -> Verdict | None:
    return _failed(end.doubt, _told(end)) if end.doubt is not None else None


def _told(end: RunEnd) -> str | None:
    """Say what is known more exactly than by the outcome's name, with its own next action."""
    told = end.explanation
    return told and f"{told.sentence}{NEXT}{told.next_action}"


def _failed(outcome: Outcome, sentence: str | None = None) -> Verdict:
    return Verdict(outcome=outcome, sentence=sentence or EXPLANATIONS[outcome].sentence)


def _missing(check: Check, own_names: Collection[str]) -> str | None:
    if not check.is_begun:
        return check.fault
    match check.exit_code:
        case 126:
            return "it may not be executed (exit code 126)"
        case 127:
            return "a program is missing (exit code 127)"
        case _:
            pass
    for found in _MISSING_MODULE.finditer(check.output_tail):
        name = found["python"] or found["node"]
        if not name.startswith((".", "/")) and re.split(r"[./]", name)[0] not in own_names:
            return f"the module {quoted(name, limit=NAME_CHARS)} is missing"
    return None


def _command(check: Check) -> str:
    return quoted(check.command, limit=COMMAND_CHARS)


def _manner(check: Check) -> str:
    if check.is_timed_out:
        return f"did not end within {check.duration_ms / 1000:.0f} s"
    if check.exit_code is None:
        return "was killed"
    if check.fault is not None:
        return f"proves nothing: {check.fault}, exit code {check.exit_code}"
    if check.again is not None:
        return f"failed with exit code {check.exit_code}, twice"
    return f"failed with exit code {check.exit_code}"
