"""What a verdict says, to the word: it is what an orchestrator acts on."""

import pytest

from kimi_mcp.dispatch.running.verdict import after_checks, before_checks, unsettled
from kimi_mcp.history.records import Change, Check, Rerun
from kimi_mcp.kimi.outcome import RunEnd
from kimi_mcp.lifecycle import EXPLANATIONS, Explanation, Outcome

LONG = "x" * 200


def check(
    exit_code: int | None = 1,
    *,
    command: str = "pytest",
    tail: str = "",
    is_timed_out: bool = False,
    fault: str | None = None,
    again: Rerun | None = None,
    on_base: Rerun | None = None,
) -> Check:
    return Check(
        position=1,
        command=command,
        exit_code=exit_code,
        is_timed_out=is_timed_out,
        duration_ms=600_000,
        output_tail=tail,
        fault=fault,
        again=again,
        on_base=on_base,
    )


def said(*checks: Check, own: tuple[str, ...] = ()) -> tuple[Outcome | None, str]:
    verdict = after_checks(checks, own_names=own)
    return verdict.outcome, verdict.sentence


FAILED = {
    '"pytest" failed with exit code 3.': check(3),
    '"pytest" failed with exit code 3, twice.': check(3, again=Rerun.FAILED),
    '"pytest" failed with exit code 3; it fails on the base too.': check(3, on_base=Rerun.FAILED),
    '"pytest" failed with exit code 4.': check(4, on_base=Rerun.PASSED),
    '"pytest" was killed.': check(None),
    '"pytest" did not end within 600 s.': check(None, is_timed_out=True),
    '"pytest" proves nothing: no test ran, exit code 0.': check(0, fault="no test ran"),
    f'"{"x" * 79}…" failed with exit code 1.': check(command=LONG),
}
UNREADY = {
    "it may not be executed (exit code 126)": check(126),
    "a program is missing (exit code 127)": check(127),
    "no such folder": check(None, fault="no such folder"),
    'the module "numpy.random" is missing': check(tail="No module named 'numpy.random'"),
    'the module "left-pad" is missing': check(tail="Cannot find module 'left-pad'"),
    'the module "@a/b" is missing': check(tail='Cannot find package "@a/b"'),
    f'the module "{"x" * 79}…" is missing': check(tail=f"No module named {LONG}"),
}
OURS = {
    "a relative path": check(tail="Cannot find module './left'"),
    "an absolute one": check(tail="Cannot find module '/left'"),
    "our own package": check(tail="No module named 'app.models'"),
    "our own folder": check(tail="Cannot find module 'app/models'"),
}


@pytest.mark.parametrize("sentence", FAILED)
def test_a_check_that_failed_is_told(sentence: str) -> None:
    assert said(FAILED[sentence]) == (Outcome.CHECKS_FAILED, sentence)


@pytest.mark.parametrize("obstacle", UNREADY)
def test_a_check_that_could_not_run_is_told_as_that(obstacle: str) -> None:
    outcome, sentence = said(UNREADY[obstacle], own=("app",))

    assert outcome is Outcome.SETUP_FAILED
    assert sentence.endswith(f'" could not run: {obstacle}.')


@pytest.mark.parametrize("what", OURS)
def test_what_the_repository_itself_should_have_is_no_missing_program(what: str) -> None:
    outcome, _ = said(OURS[what], own=("app",))

    assert outcome is Outcome.CHECKS_FAILED


def test_what_passed_is_told_with_its_doubts() -> None:
    assert said() == (None, "Delivered, unchecked: the task has no command to run.")
    assert said(check(0), check(0)) == (None, "2 of 2 checks passed.")
    flaky = [check(1, command=name, again=Rerun.PASSED) for name in ("a", "b")]
    empty = [check(0, command=name, on_base=Rerun.PASSED) for name in ("c", "d")]
    sentences = (
        "4 of 4 checks passed.",
        '"a", "b" failed first and passed when run again.',
        '"c", "d" passed on the base already: no proof of what was created.',
    )
    assert said(*flaky, *empty) == (None, " ".join(sentences))


def test_markers_that_are_left_are_named() -> None:
    verdict = unsettled(["a.py", "b.py", "c.py", "d.py"])

    assert (verdict.outcome, verdict.sentence) == (
        Outcome.CHECKS_FAILED,
        'Markers of the conflict are left in "a.py", "b.py", "c.py" and 1 more.',
    )


def strays(count: int) -> list[Change]:
    return [
        Change(path=f"{n}{LONG}", status="M", added=1, deleted=0, stray_reason="not listed")
        for n in range(count)
    ]


@pytest.mark.parametrize(("count", "end"), [(1, ")."), (3, ")."), (4, ") and 1 more.")])
def test_three_strays_are_named_and_the_others_counted(count: int, end: str) -> None:
    verdict = before_checks(RunEnd(outcome=None), strays(count))

    assert verdict is not None
    assert verdict.outcome is Outcome.OUT_OF_SCOPE
    assert verdict.sentence.startswith(f'Outside the task\'s list: "0{"x" * 78}…" (')
    assert verdict.sentence.count("; not listed)") == min(count, 3)
    assert verdict.sentence.endswith(f"; not listed{end}")


def test_a_cancelled_run_says_why_where_that_is_known() -> None:
    plain = before_checks(RunEnd(outcome=None, is_cancelled=True), [])
    why = Explanation("It was paused.", "Go on.")
    told = before_checks(RunEnd(outcome=None, is_cancelled=True, explanation=why), [])

    assert plain is not None
    assert told is not None
    assert (plain.sentence, plain.is_cancelled) == ("It was cancelled.", True)
    assert (told.sentence, told.is_cancelled) == ("It was paused. Next: Go on.", True)


def test_an_outcome_without_a_sentence_of_its_own_has_the_general_one() -> None:
    verdict = before_checks(RunEnd(outcome=Outcome.STALLED), [])

    assert verdict is not None
    assert verdict.sentence == EXPLANATIONS[Outcome.STALLED].sentence
