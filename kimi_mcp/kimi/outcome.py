"""From everything known at the end of a run to one true word.

Pure. Success needs three things at once: exit code 0, the resume hint (printed last and only on
success), and no contrary word in the journal. Everything else is one of the closed list, and what
is not recognised is `crashed`. Exit codes, error codes and messages as measured with Kimi Code
2.1.0. The provider's words are quoted as data.

The trap of the table: a used-up plan arrives as HTTP 403 under the code `provider.auth_error`, so
the words decide before the code does.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from kimi_mcp.kimi.observations import TurnEnded
from kimi_mcp.lifecycle import Outcome

QUOTE_CHARS = 400

_BLOCKED = re.compile(r"^[\s>#*_`-]*BLOCKED[*_`]*:", re.MULTILINE)  # also bold, quoted, in a list


class StopReason(StrEnum):
    """Why we ended Kimi ourselves."""

    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    STALLED = "stalled"
    STEP_LIMIT = "step_limit"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """How the run ended: *outcome* is nothing only when Kimi ended properly."""

    outcome: Outcome | None
    is_cancelled: bool = False
    quote: str | None = None


_STOPPED = {
    StopReason.TIMED_OUT: Outcome.TIMED_OUT,
    StopReason.STALLED: Outcome.STALLED,
    StopReason.STEP_LIMIT: Outcome.STEP_LIMIT,
}

_BY_WORDS = (
    (
        re.compile(
            r"reached your [^.]*usage limit|usage limit for this billing cycle"
            r"|exceeded your current (token )?quota|check your account balance"
            r"|insufficient balance|recharge|access_terminated_error|exceeded_current_quota_error"
            r"|^402\b|payment required",
            re.IGNORECASE,
        ),
        Outcome.QUOTA_EXHAUSTED,
    ),
    (re.compile(r"safety policy blocked|provider\.filtered"), Outcome.MODEL_REFUSED),
    (
        re.compile(r"context\.overflow|APIContextOverflow|exceeded model token limit"),
        Outcome.CONTEXT_OVERFLOW,
    ),
    (
        re.compile(r"no credential configured|^auth\."),
        Outcome.NOT_LOGGED_IN,
    ),
    (
        re.compile(r"No model configured|is not configured in config\.toml"),
        Outcome.CONFIG_INVALID,
    ),
)

_BY_CODE = {
    "loop.max_steps_exceeded": Outcome.STEP_LIMIT,
    "provider.auth_error": Outcome.NOT_LOGGED_IN,
    "provider.rate_limit": Outcome.RATE_LIMITED,
    "provider.overloaded": Outcome.PROVIDER_ERROR,
    "provider.api_error": Outcome.PROVIDER_ERROR,
    "provider.connection_error": Outcome.PROVIDER_ERROR,
    "compaction.failed": Outcome.CONTEXT_OVERFLOW,
    "model.not_configured": Outcome.CONFIG_INVALID,
    "model.config_invalid": Outcome.CONFIG_INVALID,
    "config.invalid": Outcome.CONFIG_INVALID,
}

_FAILURE = re.compile(
    r"error: failed to run prompt: (?:(?P<code>[a-z_]+\.[a-z_]+): )?(?P<words>.*)"
)


def classify(facts: RunFacts) -> RunEnd:
    """Name how a run ended. Never returns success for anything that is not known to be one."""
    if facts.stop_reason is StopReason.CANCELLED:
        return RunEnd(outcome=None, is_cancelled=True)
    if facts.stop_reason is not None and facts.stop_reason in _STOPPED:
        return RunEnd(outcome=_STOPPED[facts.stop_reason], quote=_quote(facts.closing_words))
    if _is_proper(facts):
        if blocked := blocked_question(facts.closing_words):
            return RunEnd(outcome=Outcome.BLOCKED, quote=_quote(blocked))
        return RunEnd(outcome=None)
    if failure := _failure(facts):
        code, words = failure
        return RunEnd(outcome=_name(code, words), quote=_quote(words))
    # what is left are words of programs that Kimi ran, or its own: no ground for a name
    return RunEnd(outcome=Outcome.CRASHED, quote=_quote(_last_words(facts)))


def blocked_question(closing_words: str) -> str | None:
    """Return what follows `BLOCKED:` at the start of a line of Kimi's closing words."""
    found = _BLOCKED.search(closing_words)
    if found is None:
        return None
    question = " ".join(closing_words[found.end() :].split())
    return question.strip("*_ ") or "(no question was given)"


def _is_proper(facts: RunFacts) -> bool:
    is_exit_good = facts.exit_code == 0 or facts.stop_reason is StopReason.LINGERING
    is_journal_content = facts.turn_ended is None or facts.turn_ended.reason == "completed"
    return is_exit_good and facts.is_answer_complete and is_journal_content


def _failure(facts: RunFacts) -> tuple[str | None, str] | None:
    """Find Kimi's own error code and words: stderr's last failure, else the journal's."""
    said = list(_FAILURE.finditer(facts.stderr_tail))
    if said:
        return said[-1]["code"], said[-1]["words"].strip()
    ended = facts.turn_ended
    if ended is not None and ended.reason != "completed":
        return ended.code, ended.message or f"the turn ended as {ended.reason}"
    return None


def _last_words(facts: RunFacts) -> str:
    last_lines = facts.stderr_tail.strip().splitlines()[-3:]
    return " / ".join(line.strip() for line in last_lines) or facts.closing_words


def _name(code: str | None, words: str) -> Outcome:
    for pattern, outcome in _BY_WORDS:
        if pattern.search(words) or pattern.search(code or ""):
            return outcome
    return _BY_CODE.get(code or "", Outcome.CRASHED)


def _quote(words: str) -> str | None:
    line = " ".join(words.split())
    if len(line) > QUOTE_CHARS:
        line = line[: QUOTE_CHARS - 1] + "…"
    return line or None
