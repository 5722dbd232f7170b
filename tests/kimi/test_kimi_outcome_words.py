"""What a run's end is told in, to the word, and the numbers that a name hangs on."""

import pytest

from kimi_mcp.kimi.observations import Retrying
from kimi_mcp.kimi.outcome import (
    CUT,
    FULL,
    KILLED,
    PAUSED,
    QUOTE_CHARS,
    RunEnd,
    RunFacts,
    StopReason,
    blocked_question,
    classify,
)
from kimi_mcp.lifecycle import Explanation, Outcome


def facts(
    *,
    exit_code: int | None = 1,
    stop_reason: StopReason | None = None,
    stderr_tail: str = "",
    last_retry: Retrying | None = None,
) -> RunFacts:
    return RunFacts(
        exit_code=exit_code,
        signal=None,
        is_answer_complete=False,
        closing_words="",
        stderr_tail=stderr_tail,
        turn_ended=None,
        stop_reason=stop_reason,
        last_retry=last_retry,
    )


def gave_up(error: str, status: int | None) -> RunEnd:
    retry = Retrying(error=error, status=status)
    return classify(facts(stop_reason=StopReason.RETRIES, last_retry=retry))


def test_what_is_known_more_exactly_is_said_in_these_words() -> None:
    assert [
        CUT,
        KILLED,
        FULL,
        PAUSED,
        classify(facts(stop_reason=StopReason.TOOL_STUCK)).explanation,
        gave_up("boom", 418).explanation,
    ] == [
        Explanation(
            "The model's last answer was cut off at its output limit, and no check proves the "
            "work done.",
            "Look at what is there; split the task or raise the model's max_output_size, then go "
            "on.",
        ),
        Explanation(
            "Kimi was ended by a signal that did not come from us, perhaps for want of memory.",
            "Free memory or run less in parallel, then go on with the task.",
        ),
        Explanation(
            "Kimi was ended: less was left on the disk than limits.free_bytes.",
            "Make room (what it wrote lies in the task's clone), then go on with the task.",
        ),
        Explanation(
            "Paused: another task found the plan's allowance used up. Its work is kept.",
            "Resume the dispatch when the allowance renews: it goes on in the same session.",
        ),
        Explanation(
            "A tool call of Kimi's ran longer than limits.tool_s, far beyond its own limit.",
            "Look at the quoted call; raise limits.tool_s if it may take that long.",
        ),
        Explanation(
            "The provider failed more often in this attempt than limits.retries allows.",
            "The quoted words are the provider's; correct what they name.",
        ),
    ]


def test_a_reason_is_written_as_it_is_called() -> None:
    assert all(reason == reason.name.lower() for reason in StopReason)


def test_a_run_is_neither_cut_nor_cancelled_nor_unsure_unless_somebody_says_so() -> None:
    made = facts()

    assert made.is_answer_cut is False
    assert made.unsure_agents == 0
    assert RunEnd(outcome=None).is_cancelled is False


@pytest.mark.parametrize("code", range(126, 146))
def test_the_exit_codes_of_four_signals_mean_that_kimi_was_killed(code: int) -> None:
    is_killed = classify(facts(exit_code=code)).explanation == KILLED

    assert is_killed == (code in {129, 130, 137, 143})


def test_retries_of_too_many_requests_are_the_rates_and_others_the_providers() -> None:
    assert gave_up("slow down", 429).outcome is Outcome.RATE_LIMITED
    assert gave_up("slow down", 430).outcome is Outcome.PROVIDER_ERROR
    assert gave_up("500 internal", 500).outcome is Outcome.PROVIDER_ERROR
    assert gave_up("402 More is needed", 402).outcome is Outcome.QUOTA_EXHAUSTED


def test_what_to_do_about_retries_is_what_to_do_about_their_error() -> None:
    told = [gave_up(error, status).explanation for error, status in (("x", 429), ("500 x", 500))]

    assert [one and one.next_action for one in told] == [
        "Wait a few minutes, then go on with less in parallel.",
        "Look at the provider's status, then go on with the task.",
    ]


def test_the_last_three_lines_of_an_error_are_quoted() -> None:
    assert classify(facts(stderr_tail="1\n2\n3\n4\n")).quote == "2 / 3 / 4"


def test_a_quote_of_just_the_longest_is_whole() -> None:
    assert QUOTE_CHARS == 400
    assert classify(facts(stderr_tail="x" * 400)).quote == "x" * 400
    assert classify(facts(stderr_tail="x" * 401)).quote == "x" * 399 + "…"


def test_a_question_loses_the_marks_that_made_it_bold() -> None:
    assert blocked_question("**BLOCKED:** _which one?_**") == "which one?"
    assert blocked_question("BLOCKED: XX or YY?") == "XX or YY?"
