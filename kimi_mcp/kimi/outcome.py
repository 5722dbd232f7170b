"""From everything known at the end of a run to one true word.

Pure. Success needs three things at once: exit code 0, a complete answer as the last word on
standard output, and no contrary word in the journal. Everything else is one of the closed list;
what is not recognised is `crashed`. The provider's words are quoted as data.

An answer that was cut at the model's output limit ends with exit code 0 like any other. It is no
failure and no proof of an end either: it counts only where our own checks pass.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from kimi_mcp.kimi.endings import Ending, ending_of
from kimi_mcp.kimi.failure import Failure
from kimi_mcp.kimi.observations import Retrying, TurnEnded
from kimi_mcp.lifecycle import EXPLANATIONS, Explanation, Outcome

QUOTE_CHARS = 400

CUT = Explanation(
    "The model's last answer was cut off at its output limit, and no check proves the work done.",
    "Look at what is there; split the task or raise the model's max_output_size, then go on.",
)
KILLED = Explanation(
    "Kimi was ended by a signal that did not come from us, perhaps for want of memory.",
    "Free memory or run less in parallel, then go on with the task.",
)
FULL = Explanation(
    "Kimi was ended: less was left on the disk than limits.free_bytes.",
    "Make room (what it wrote lies in the task's clone), then go on with the task.",
)

PAUSED = Explanation(
    "Paused: another task found the plan's allowance used up. Its work is kept.",
    "Resume the dispatch when the allowance renews: it goes on in the same session.",
)

_BLOCKED = re.compile(r"^[\s>#*_`-]*BLOCKED[*_`]*:", re.MULTILINE)  # also bold, quoted, in a list
_BY_SIGNAL = frozenset({129, 130, 137, 143})  # how Kimi Code exits on one
_RATE_LIMIT = 429


class StopReason(StrEnum):
    """Why we ended Kimi ourselves."""

    CANCELLED = "cancelled"
    PAUSED = "paused"
    TIMED_OUT = "timed_out"
    STALLED = "stalled"
    TOOL_STUCK = "tool_stuck"
    RETRIES = "retries"
    STEP_LIMIT = "step_limit"
    DISK_FULL = "disk_full"
    LINGERING = "lingering"  # the answer was complete, the process did not exit


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """All that is known when a run is over."""

    exit_code: int | None
    signal: int | None
    is_answer_complete: bool
    closing_words: str
    stderr_tail: str
    turn_ended: TurnEnded | None
    stop_reason: StopReason | None
    failure: Failure | None = None
    is_answer_cut: bool = False
    stuck_tool: str = ""
    last_retry: Retrying | None = None
    unsure_agents: int = 0  # killed ones, each of which may have made one request more


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """How the run ended: *outcome* is nothing only when Kimi ended properly.

    *explanation* says more than the outcome's general one, where more is known. *doubt* is a name
    for a proper end that nothing but passing checks can vouch for.
    """

    outcome: Outcome | None
    is_cancelled: bool = False
    quote: str | None = None
    explanation: Explanation | None = None
    doubt: Outcome | None = None


_STOPPED = {
    StopReason.TIMED_OUT: Outcome.TIMED_OUT,
    StopReason.STALLED: Outcome.STALLED,
    StopReason.STEP_LIMIT: Outcome.STEP_LIMIT,
}


def classify(facts: RunFacts) -> RunEnd:
    """Name how a run ended. Never returns success for anything that is not known to be one."""
    match facts.stop_reason:
        case StopReason.CANCELLED:
            return RunEnd(outcome=None, is_cancelled=True)
        case StopReason.PAUSED:
            return RunEnd(outcome=None, is_cancelled=True, explanation=PAUSED)
        case StopReason.TOOL_STUCK:
            return _stuck(facts)
        case StopReason.RETRIES:
            return _gave_up(facts)
        case StopReason.DISK_FULL:
            return _end(Outcome.CRASHED, facts.closing_words, FULL)
        case StopReason.TIMED_OUT | StopReason.STALLED | StopReason.STEP_LIMIT as reason:
            return _end(_STOPPED[reason], facts.closing_words)
        case StopReason.LINGERING | None:
            return _by_itself(facts)


def blocked_question(closing_words: str) -> str | None:
    """Return what follows `BLOCKED:` at the start of a line of Kimi's closing words."""
    found = _BLOCKED.search(closing_words)
    if found is None:
        return None
    question = " ".join(closing_words[found.end() :].split())
    return question.strip("*_ ") or "(no question was given)"


def _by_itself(facts: RunFacts) -> RunEnd:
    if _is_proper(facts):
        if blocked := blocked_question(facts.closing_words):
            return _end(Outcome.BLOCKED, blocked)
        if facts.is_answer_cut:
            return RunEnd(outcome=None, doubt=Outcome.PROVIDER_ERROR, explanation=CUT)
        return RunEnd(outcome=None)
    if failure := facts.failure:
        row = ending_of(failure.code, failure.words)
        if row is not None:
            return _from(row, failure.words)
    if facts.signal is not None or facts.exit_code in _BY_SIGNAL:
        return _end(Outcome.CRASHED, _last_words(facts), KILLED)
    # what is left are words of programs that Kimi ran, or its own: no ground for a name
    return _end(Outcome.CRASHED, failure.words if failure else _last_words(facts))


def _is_proper(facts: RunFacts) -> bool:
    is_exit_good = facts.exit_code == 0 or facts.stop_reason is StopReason.LINGERING
    is_journal_content = facts.turn_ended is None or facts.turn_ended.reason == "completed"
    return is_exit_good and facts.is_answer_complete and is_journal_content


def _stuck(facts: RunFacts) -> RunEnd:
    explanation = Explanation(
        "A tool call of Kimi's ran longer than limits.tool_s, far beyond its own limit.",
        "Look at the quoted call; raise limits.tool_s if it may take that long.",
    )
    return _end(Outcome.STALLED, facts.stuck_tool, explanation)


def _gave_up(facts: RunFacts) -> RunEnd:
    """Name the provider's error that we did not let Kimi repeat for ever."""
    retry = facts.last_retry
    words = retry.error if retry else ""
    kind = "rate_limit" if retry and retry.status == _RATE_LIMIT else "api_error"
    row = ending_of(f"provider.{kind}", words)
    outcome = row.outcome if row else Outcome.PROVIDER_ERROR
    explanation = Explanation(
        "The provider failed more often in this attempt than limits.retries allows.",
        row.next_action if row else EXPLANATIONS[outcome].next_action,
    )
    return _end(outcome, words, explanation)


def _last_words(facts: RunFacts) -> str:
    last_lines = facts.stderr_tail.strip().splitlines()[-3:]
    return " / ".join(line.strip() for line in last_lines) or facts.closing_words


def _from(row: Ending, words: str) -> RunEnd:
    return _end(row.outcome, words, Explanation(row.sentence, row.next_action))


def _end(outcome: Outcome, words: str, explanation: Explanation | None = None) -> RunEnd:
    return RunEnd(outcome=outcome, quote=_quote(words), explanation=explanation)


def _quote(words: str) -> str | None:
    line = " ".join(words.split())
    if len(line) > QUOTE_CHARS:
        line = line[: QUOTE_CHARS - 1] + "…"
    return line or None
