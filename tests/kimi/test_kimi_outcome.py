from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_mcp.kimi import code, legacy
from kimi_mcp.kimi.failure import Witness
from kimi_mcp.kimi.observations import Retrying, TurnEnded
from kimi_mcp.kimi.outcome import (
    CUT,
    KILLED,
    QUOTE_CHARS,
    RunEnd,
    RunFacts,
    StopReason,
    blocked_question,
    classify,
)
from kimi_mcp.lifecycle import EXPLANATIONS, Outcome


def facts(
    *,
    exit_code: int | None = 1,
    signal: int | None = None,
    is_answer_complete: bool = False,
    closing_words: str = "",
    stderr_tail: str = "",
    turn_ended: TurnEnded | None = None,
    stop_reason: StopReason | None = None,
    is_answer_cut: bool = False,
) -> RunFacts:
    witness = Witness(
        exit_code=exit_code, stderr_tail=stderr_tail, plain_words="", turn_ended=turn_ended
    )
    return RunFacts(
        exit_code=exit_code,
        signal=signal,
        is_answer_complete=is_answer_complete,
        closing_words=closing_words,
        stderr_tail=stderr_tail,
        turn_ended=turn_ended,
        stop_reason=stop_reason,
        failure=code.failure(witness),
        is_answer_cut=is_answer_cut,
    )


def failed(words: str) -> RunFacts:
    return facts(
        stderr_tail=f"a tool said this\nerror: failed to run prompt: {words}\nSee log: x.log\n"
    )


def turn(
    reason: str = "completed", code: str | None = None, message: str | None = None
) -> TurnEnded:
    return TurnEnded(reason=reason, code=code, message=message, status=None)


WORDS = {
    "loop.max_steps_exceeded: Turn exceeded maxSteps=3.": Outcome.STEP_LIMIT,
    "provider.auth_error: 401 Invalid Authentication": Outcome.NOT_LOGGED_IN,
    "provider.auth_error: 403 Forbidden": Outcome.NOT_LOGGED_IN,
    "provider.auth_error: 403 You've reached your 5-hour usage limit": Outcome.QUOTA_EXHAUSTED,
    "provider.auth_error: 403 Reached your weekly usage limit.": Outcome.QUOTA_EXHAUSTED,
    "provider.auth_error: 403 usage limit for this billing cycle": Outcome.QUOTA_EXHAUSTED,
    "provider.auth_error: 403 access_terminated_error": Outcome.QUOTA_EXHAUSTED,
    "provider.api_error: 402 More is needed": Outcome.QUOTA_EXHAUSTED,
    "provider.api_error: 404 Not found the model x or Permission denied": Outcome.CONFIG_INVALID,
    "provider.api_error: 404 page not found": Outcome.PROVIDER_ERROR,
    "provider.api_error: 429 You exceeded your current token quota": Outcome.QUOTA_EXHAUSTED,
    "provider.api_error: 429 You exceeded your current quota": Outcome.QUOTA_EXHAUSTED,
    "provider.rate_limit: 429 exceeded_current_quota_error": Outcome.QUOTA_EXHAUSTED,
    "provider.rate_limit: 429 check your account balance": Outcome.QUOTA_EXHAUSTED,
    "provider.rate_limit: 429 Insufficient Balance": Outcome.QUOTA_EXHAUSTED,
    "provider.rate_limit: 429 Please recharge": Outcome.QUOTA_EXHAUSTED,
    "provider.rate_limit: 429 too many requests": Outcome.RATE_LIMITED,
    "provider.api_error: 500 boom": Outcome.PROVIDER_ERROR,
    "provider.overloaded: 503 busy": Outcome.PROVIDER_ERROR,
    "provider.connection_error: Connection error.": Outcome.PROVIDER_ERROR,
    "provider.connection_error: terminated": Outcome.PROVIDER_ERROR,
    "provider.connection_error: Request timed out.": Outcome.PROVIDER_ERROR,
    "provider.api_error: The API returned an empty response": Outcome.PROVIDER_ERROR,
    "Provider safety policy blocked the response.": Outcome.MODEL_REFUSED,
    "provider.filtered: no": Outcome.MODEL_REFUSED,
    "compaction.failed: APIContextOverflowError: 400 too long": Outcome.CONTEXT_OVERFLOW,
    "context.overflow: Compaction failed": Outcome.CONTEXT_OVERFLOW,
    "provider.api_error: 400 exceeded model token limit: 9": Outcome.CONTEXT_OVERFLOW,
    "provider main has no credential configured": Outcome.NOT_LOGGED_IN,
    "auth.login_required: again": Outcome.NOT_LOGGED_IN,
    "auth.token_missing: none": Outcome.NOT_LOGGED_IN,
    "auth.token_unauthorized: no": Outcome.NOT_LOGGED_IN,
    "auth.provisioning_required: first": Outcome.NOT_LOGGED_IN,
    "No model configured. Run `kimi`": Outcome.CONFIG_INVALID,
    'Model "x" is not configured in config.toml.': Outcome.CONFIG_INVALID,
    "model.not_configured: x": Outcome.CONFIG_INVALID,
    "model.config_invalid: x": Outcome.CONFIG_INVALID,
    "config.invalid: x": Outcome.CONFIG_INVALID,
    "loop.max_steps_exceeded: 5": Outcome.STEP_LIMIT,
    "session.busy: x": Outcome.CRASHED,
    'Session "s" not found.': Outcome.CRASHED,
    "brand.new: never seen before": Outcome.CRASHED,
}


@pytest.mark.parametrize(("words", "outcome"), WORDS.items())
def test_a_failure_has_one_true_name(words: str, outcome: Outcome):
    end = classify(failed(words))

    assert (end.outcome, end.is_cancelled) == (outcome, False)
    assert end.quote
    assert end.quote in words


@pytest.mark.parametrize(("words", "outcome"), WORDS.items())
def test_the_journal_alone_gives_the_same_name(words: str, outcome: Outcome):
    head, _, rest = words.partition(": ")
    code, message = (head, rest) if "." in head and " " not in head else (None, words)

    assert classify(facts(turn_ended=turn("failed", code, message))).outcome is outcome


def test_success_needs_exit_code_and_hint_and_no_contrary_word():
    complete = facts(exit_code=0, is_answer_complete=True, closing_words="All done.")

    assert classify(complete) == RunEnd(outcome=None)
    agreed = facts(exit_code=0, is_answer_complete=True, turn_ended=turn())
    assert classify(agreed) == RunEnd(outcome=None)


@pytest.mark.parametrize(
    "case",
    [
        facts(exit_code=0),
        facts(exit_code=0, closing_words="All done."),
        facts(exit_code=0, turn_ended=turn()),
        facts(exit_code=1, is_answer_complete=True, turn_ended=turn()),
        facts(exit_code=None, signal=9, is_answer_complete=True, turn_ended=turn()),
        facts(exit_code=None, signal=None, is_answer_complete=True, turn_ended=turn()),
        facts(exit_code=0, is_answer_complete=True, turn_ended=turn("cancelled")),
        facts(exit_code=0, is_answer_complete=True, turn_ended=turn("")),
        facts(exit_code=0, is_answer_complete=True, turn_ended=turn("brand new")),
        facts(exit_code=3),
        facts(exit_code=143),
    ],
    ids=str,
)
def test_what_is_not_known_to_be_a_success_is_a_crash(case: RunFacts):
    assert classify(case).outcome is Outcome.CRASHED


TEXTS = st.text(max_size=20) | st.sampled_from([*WORDS, "BLOCKED: why?"])


@given(
    st.builds(
        facts,
        exit_code=st.none() | st.integers(0, 255),
        signal=st.none() | st.integers(1, 31),
        is_answer_complete=st.booleans(),
        closing_words=TEXTS,
        stderr_tail=TEXTS | TEXTS.map("error: failed to run prompt: {}".format),
        turn_ended=st.none()
        | st.builds(
            turn,
            st.sampled_from(["completed", "failed", "cancelled", "blocked", ""]),
            st.none() | TEXTS,
            st.none() | TEXTS,
        ),
        stop_reason=st.none() | st.sampled_from(StopReason),
    )
)
def test_success_is_never_said_without_the_three_proofs(case: RunFacts):
    end = classify(case)

    if end.outcome is None and not end.is_cancelled:
        assert case.is_answer_complete
        assert case.exit_code == 0 or case.stop_reason is StopReason.LINGERING
        assert case.turn_ended is None or case.turn_ended.reason == "completed"
        assert case.stop_reason in {None, StopReason.LINGERING}


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        (StopReason.TIMED_OUT, Outcome.TIMED_OUT),
        (StopReason.STALLED, Outcome.STALLED),
        (StopReason.STEP_LIMIT, Outcome.STEP_LIMIT),
        (StopReason.DISK_FULL, Outcome.CRASHED),
    ],
)
def test_why_we_stopped_it_is_the_name(reason: StopReason, outcome: Outcome):
    case = facts(exit_code=143, turn_ended=turn("cancelled"), stop_reason=reason)

    assert classify(case).outcome is outcome


def test_a_cancelled_run_is_cancelled_whatever_else_is_known():
    case = facts(exit_code=0, is_answer_complete=True, stop_reason=StopReason.CANCELLED)

    assert classify(case) == RunEnd(outcome=None, is_cancelled=True)


def test_a_complete_answer_counts_though_we_had_to_end_the_process():
    case = facts(exit_code=143, is_answer_complete=True, stop_reason=StopReason.LINGERING)

    assert classify(case) == RunEnd(outcome=None)


def test_words_of_a_program_that_kimi_ran_name_nothing():
    said = "HTTP 402 Payment Required\nInsufficient balance\nNo model configured\n"

    end = classify(facts(exit_code=None, signal=9, stderr_tail=said))

    assert end.outcome is Outcome.CRASHED
    assert end.quote == said.strip().replace("\n", " / ")


def test_kimis_own_words_name_nothing():
    end = classify(facts(exit_code=None, signal=9, closing_words="I handle payment required."))

    assert end == RunEnd(
        outcome=Outcome.CRASHED, quote="I handle payment required.", explanation=KILLED
    )


def test_of_several_failures_the_last_counts():
    tail = "error: failed to run prompt: provider.rate_limit: 429\n"
    end = classify(facts(stderr_tail=tail + "error: failed to run prompt: config.invalid: x"))

    assert end.outcome is Outcome.CONFIG_INVALID


@pytest.mark.parametrize(
    ("words", "question"),
    [
        ("BLOCKED: need src/a.py", "need src/a.py"),
        ("I looked.\n\nBLOCKED: may I\nchange `b.py`?", "may I change `b.py`?"),
        ("**BLOCKED: need it**", "need it"),
        ("**BLOCKED:** need it", "need it"),
        ("**BLOCKED**: need it", "need it"),
        ("  > BLOCKED: need it", "need it"),
        ("- BLOCKED: need it", "need it"),
        ("## BLOCKED: need it", "need it"),
        ("`BLOCKED:` need it", "need it"),
        ("BLOCKED:", "(no question was given)"),
        ("It is not BLOCKED: all well", None),
        ("UNBLOCKED: all well", None),
        ("Blocked: the port is", None),
        ("", None),
    ],
)
def test_a_question_stands_at_the_start_of_a_line(words: str, question: str | None):
    found = blocked_question(words)

    assert found == question if question is None else (found or "").strip("` ") == question


def test_a_proper_end_with_a_question_is_blocked():
    case = facts(exit_code=0, is_answer_complete=True, closing_words="**BLOCKED:** which one?")

    assert classify(case) == RunEnd(outcome=Outcome.BLOCKED, quote="which one?")


def test_a_crash_after_a_question_is_a_crash():
    assert classify(facts(closing_words="BLOCKED: which one?")).outcome is Outcome.CRASHED


def test_a_quote_is_one_short_line():
    quote = classify(failed("provider.api_error: " + "long\twords " * 200)).quote

    assert quote is not None
    assert len(quote) == QUOTE_CHARS
    assert quote.startswith("long words long")
    assert quote.endswith("…")


LEGACY_WORDS = {
    "Max number of steps reached: 3": Outcome.STEP_LIMIT,
    "Error code: 401 - {'error': {'message': 'Invalid Authentication'}}": Outcome.NOT_LOGGED_IN,
    "Error code: 403 - {'error': {'message': 'Forbidden'}}": Outcome.NOT_LOGGED_IN,
    "Error code: 403 - {'error': {'message': \"You've reached your usage limit for this billing "
    "cycle.\", 'type': 'access_terminated_error'}}": Outcome.QUOTA_EXHAUSTED,
    "Error code: 402 - {'error': {'type': 'insufficient_balance'}}": Outcome.QUOTA_EXHAUSTED,
    "Error code: 404 - {'error': {'message': 'Not found the model x'}}": Outcome.CONFIG_INVALID,
    "Error code: 429 - {'error': {'message': 'Too many requests'}}": Outcome.RATE_LIMITED,
    "Error code: 429 - {'error': {'type': 'exceeded_current_quota_error'}}": (
        Outcome.QUOTA_EXHAUSTED
    ),
    "Error code: 500 - {'error': {'message': 'boom'}}": Outcome.PROVIDER_ERROR,
    "Error code: 503 - {'error': {'message': 'busy'}}": Outcome.PROVIDER_ERROR,
    "Error code: 400 - {'error': {'message': 'exceeded model token limit: 9'}}": (
        Outcome.CONTEXT_OVERFLOW
    ),
    "Connection error.": Outcome.PROVIDER_ERROR,
    "Request timed out.": Outcome.PROVIDER_ERROR,
    "peer closed connection without sending complete message body": Outcome.PROVIDER_ERROR,
    "The API returned an empty response.": Outcome.PROVIDER_ERROR,
    "LLM not set": Outcome.CONFIG_INVALID,
    "kimi-cli is no longer maintained": Outcome.KIMI_UNUSABLE,
    "Interrupted by user": Outcome.CRASHED,
    "Unknown error: something new": Outcome.CRASHED,
}


def legacy_facts(*, plain_words: str = "", stderr_tail: str = "", exit_code: int = 1) -> RunFacts:
    witness = Witness(
        exit_code=exit_code, stderr_tail=stderr_tail, plain_words=plain_words, turn_ended=None
    )
    return RunFacts(
        exit_code=exit_code,
        signal=None,
        is_answer_complete=False,
        closing_words="",
        stderr_tail=stderr_tail,
        turn_ended=None,
        stop_reason=None,
        failure=legacy.failure(witness),
    )


@pytest.mark.parametrize(("words", "outcome"), LEGACY_WORDS.items())
@pytest.mark.parametrize("exit_code", [0, 1])
def test_a_failure_of_the_legacy_cli_has_one_true_name(
    words: str, outcome: Outcome, exit_code: int
):
    end = classify(legacy_facts(plain_words=words, exit_code=exit_code))

    assert end.outcome is outcome
    assert end.quote == " ".join(words.split())


def test_a_malformed_configuration_of_the_legacy_cli_is_told_on_stderr():
    said = "Invalid TOML in configuration file /h/config.toml: Unexpected end at line 3 col 1\n"
    end = classify(legacy_facts(stderr_tail=f"a warning\n{said}"))

    assert (end.outcome, end.quote) == (Outcome.CONFIG_INVALID, said.strip())


def test_what_the_legacy_cli_calls_worth_another_try_is_the_providers_failure():
    assert classify(legacy_facts(exit_code=75)).outcome is Outcome.PROVIDER_ERROR
    assert classify(legacy_facts(exit_code=75, plain_words="?")).outcome is Outcome.PROVIDER_ERROR


def test_no_outcome_is_explained_by_logging_in_when_a_plan_is_used_up():
    for words in WORDS:
        end = classify(failed(words))
        assert end.outcome is not None
        explained = end.explanation or EXPLANATIONS[end.outcome]
        if end.outcome is Outcome.QUOTA_EXHAUSTED:
            assert "kimi login" not in explained.next_action
            assert "ogging in again" in explained.next_action


def test_an_answer_that_was_cut_is_in_doubt():
    case = facts(exit_code=0, is_answer_complete=True, is_answer_cut=True, turn_ended=turn())

    assert classify(case) == RunEnd(outcome=None, doubt=Outcome.PROVIDER_ERROR, explanation=CUT)


def stopped(reason: StopReason, **further: Any) -> RunFacts:
    return replace(facts(exit_code=143, stop_reason=reason), **further)


def test_a_tool_that_never_ends_is_named():
    end = classify(stopped(StopReason.TOOL_STUCK, stuck_tool="Bash make"))

    assert (end.outcome, end.quote) == (Outcome.STALLED, "Bash make")
    assert end.explanation is not None
    assert "limits.tool_s" in end.explanation.next_action


@pytest.mark.parametrize(
    ("error", "status", "outcome"),
    [
        ("429 Too many requests", 429, Outcome.RATE_LIMITED),
        ("429 APIStatusError", 429, Outcome.RATE_LIMITED),
        ("429 exceeded_current_quota_error", 429, Outcome.QUOTA_EXHAUSTED),
        ("500 internal", 500, Outcome.PROVIDER_ERROR),
        ("terminated", None, Outcome.PROVIDER_ERROR),
        ("", None, Outcome.PROVIDER_ERROR),
    ],
)
def test_retries_that_we_ended_are_named_by_the_providers_error(
    error: str, status: int | None, outcome: Outcome
):
    retry = Retrying(error=error, status=status)
    end = classify(stopped(StopReason.RETRIES, last_retry=retry))

    assert (end.outcome, end.quote) == (outcome, error or None)
    assert end.explanation is not None
    assert "limits.retries" in end.explanation.sentence
