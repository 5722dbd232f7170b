import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_mcp.dispatch.running.verdict import after_checks, before_checks, doubted, own_names
from kimi_mcp.history.records import Change, Check
from kimi_mcp.kimi.outcome import RunEnd
from kimi_mcp.lifecycle import Explanation, Outcome

PROPER = RunEnd(outcome=None)


def change(path: str, reason: str | None = None) -> Change:
    return Change(path=path, status="M", added=1, deleted=0, stray_reason=reason)


def check(exit_code: int | None = 0, tail: str = "", *, is_timed_out: bool = False) -> Check:
    return Check(
        position=1,
        command="pytest",
        exit_code=exit_code,
        is_timed_out=is_timed_out,
        duration_ms=2000,
        output_tail=tail,
    )


ends = st.builds(RunEnd, outcome=st.none() | st.sampled_from(Outcome), is_cancelled=st.booleans())
changes = st.lists(st.builds(change, st.text(), st.none() | st.text()), max_size=4)
checks = st.lists(
    st.builds(
        check,
        st.none() | st.integers(0, 255),
        st.text(max_size=9),
        is_timed_out=st.booleans(),
    ),
    max_size=4,
)


@given(ends, changes)
def test_only_a_proper_end_with_allowed_changes_is_left_to_the_checks(
    end: RunEnd, made: list[Change]
):
    is_left = before_checks(end, made) is None

    is_allowed = bool(made) and all(one.stray_reason is None for one in made)
    assert is_left == (end.outcome is None and not end.is_cancelled and is_allowed)


@given(ends, changes)
def test_nothing_is_delivered_before_the_checks(end: RunEnd, made: list[Change]):
    verdict = before_checks(end, made)

    assert verdict is None or not verdict.is_delivered


@given(checks)
def test_delivered_and_checked_means_that_every_command_passed(run: list[Check]):
    verdict = after_checks(run, own_names=())

    is_passed = all(one.exit_code == 0 and not one.is_timed_out for one in run)
    assert verdict.is_delivered == is_passed
    assert verdict.is_checked == (is_passed and bool(run))


@pytest.mark.parametrize(
    ("end", "made", "outcome"),
    [
        (PROPER, [], Outcome.NO_CHANGE),
        (PROPER, [change("a"), change("b", "not named")], Outcome.OUT_OF_SCOPE),
        (RunEnd(outcome=Outcome.BLOCKED), [change("a", "not named")], Outcome.BLOCKED),
        (RunEnd(outcome=Outcome.STEP_LIMIT), [], Outcome.STEP_LIMIT),
    ],
)
def test_the_first_reason_is_the_one_that_is_named(
    end: RunEnd, made: list[Change], outcome: Outcome
):
    verdict = before_checks(end, made)

    assert verdict is not None
    assert verdict.outcome is outcome


def test_a_cancelled_run_is_cancelled_whatever_else_it_was():
    verdict = before_checks(RunEnd(outcome=Outcome.CRASHED, is_cancelled=True), [change("a", "x")])

    assert verdict is not None
    assert verdict.is_cancelled
    assert verdict.outcome is None
    assert not verdict.is_delivered


def test_strays_are_named_with_their_reasons_and_the_rest_counted():
    verdict = before_checks(PROPER, [change(f"{name}.py", "not named") for name in "abcde"])

    assert verdict is not None
    assert verdict.sentence == (
        'Outside the task\'s list: "a.py" (+1 -0; not named), "b.py" (+1 -0; not named), '
        '"c.py" (+1 -0; not named) and 2 more.'
    )


@pytest.mark.parametrize(
    ("failed", "outcome", "said"),
    [
        (check(1), Outcome.CHECKS_FAILED, '"pytest" failed with exit code 1.'),
        (check(None), Outcome.CHECKS_FAILED, '"pytest" was killed.'),
        (
            check(None, is_timed_out=True),
            Outcome.CHECKS_FAILED,
            '"pytest" did not end within 2 s.',
        ),
        (check(0, is_timed_out=True), Outcome.CHECKS_FAILED, "did not end within"),
        (check(126), Outcome.SETUP_FAILED, "may not be executed"),
        (check(127), Outcome.SETUP_FAILED, "a program is missing"),
        (check(1, "No module named 'numpy'"), Outcome.SETUP_FAILED, '"numpy" is missing'),
        (check(1, "No module named numpy.linalg"), Outcome.SETUP_FAILED, "numpy.linalg"),
        (check(1, "No module named 'app.made'"), Outcome.CHECKS_FAILED, "exit code 1"),
        (check(1, "Cannot find module 'react'"), Outcome.SETUP_FAILED, '"react" is missing'),
        (check(1, "Cannot find package '@a/b' imported"), Outcome.SETUP_FAILED, "@a/b"),
        (check(1, "Cannot find module './made.js'"), Outcome.CHECKS_FAILED, "exit code 1"),
        (check(1, "Cannot find module '/clone/x.js'"), Outcome.CHECKS_FAILED, "exit code 1"),
        (
            check(1, "No module named 'app'\nNo module named 'numpy'"),
            Outcome.SETUP_FAILED,
            '"numpy" is missing',
        ),
    ],
)
def test_a_failing_command_says_whose_fault_it_is(failed: Check, outcome: Outcome, said: str):
    verdict = after_checks([check(0), failed], own_names=own_names(["app/made.py"]))

    assert verdict.outcome is outcome
    assert said in verdict.sentence


def test_a_passing_command_may_talk_of_missing_modules():
    verdict = after_checks([check(0, "No module named 'numpy'")], own_names=())

    assert verdict.is_delivered
    assert verdict.sentence == "1 of 1 checks passed."


def test_own_names_are_the_parts_of_paths_without_their_endings():
    assert own_names(["src/app/made.test.ts"]) == {"src", "app", "made"}


CUT_OFF = RunEnd(
    outcome=None,
    doubt=Outcome.PROVIDER_ERROR,
    explanation=Explanation("It was cut off.", "Go on."),
)


def test_an_end_in_doubt_counts_only_where_our_checks_vouch_for_it():
    passed = after_checks([check()], own_names=())
    unchecked = after_checks([], own_names=())
    broken = after_checks([check(1)], own_names=())

    assert doubted(passed, CUT_OFF) == passed
    for judged in (unchecked, broken):
        verdict = doubted(judged, CUT_OFF)
        assert verdict.outcome is Outcome.PROVIDER_ERROR
        assert verdict.sentence == "It was cut off. Next: Go on."
        assert doubted(judged, PROPER) == judged


def test_an_end_in_doubt_without_a_change_has_the_name_of_the_doubt():
    verdict = before_checks(CUT_OFF, [])

    assert verdict is not None
    assert verdict.outcome is Outcome.PROVIDER_ERROR
