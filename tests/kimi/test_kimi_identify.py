from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_mcp.errors import KimiUnusable
from kimi_mcp.kimi.identify import check_trial, recognise, release
from kimi_mcp.kimi.probe import Answer

KIMI = Path("/opt/kimi")


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("2.1.0\n", "2.1.0"),
        ("0.38.0\n", "0.38.0"),
        ("(node:7) Warning: experimental\n2.1.0\r\n", "2.1.0"),
        ("3.0.0-beta.1\n", "3.0.0-beta.1"),
    ],
)
def test_a_bare_version_is_kimi_code(text: str, version: str):
    assert recognise(Answer(text=text, exit_code=0), program=KIMI) == ("code", version)


@pytest.mark.parametrize("version", ["1.9.0", "1.51.0", "1.51.7"])
def test_a_legacy_version_that_still_works_is_recognised(version: str):
    answer = Answer(text=f"kimi, version {version}\n", exit_code=0)

    assert recognise(answer, program=KIMI) == ("legacy", version)


@pytest.mark.parametrize(
    ("text", "dialect"), [("2.1.0\n", "code"), ("kimi, version 1.51.0\n", "legacy")]
)
def test_a_kimi_that_told_its_version_and_hung_in_its_exit_is_recognised(text: str, dialect: str):
    assert recognise(Answer(text=text, exit_code=None), program=KIMI)[0] == dialect


def test_a_trial_gets_as_far_as_missing_a_model():
    check_trial(Answer(text="LLM not set\n\nTo resume", exit_code=1), program=KIMI)

    died = Answer(text="│ a box │\nTypeError: super(type, obj): obj must be", exit_code=1)
    with pytest.raises(KimiUnusable, match=r"ended with 1, .*TypeError.* needs Python 3\.13"):
        check_trial(died, program=KIMI)
    with pytest.raises(KimiUnusable, match="did not end"):
        check_trial(Answer(text="", exit_code=None), program=KIMI)


@pytest.mark.parametrize(
    ("text", "exit_code", "refusal"),
    [
        ("kimi, version 2.0\n", 0, "2.0: .* does nothing"),
        ("kimi, version 1.52.0\nno longer maintained\n", 0, "1.52.0: .* does nothing"),
        ("kimi, version 1.52.0\n已停止维护\n", 0, "1.52.0: .* does nothing"),
        ("0.37.9\n", 0, "Kimi Code 0.37.9; kimi-mcp needs 0.38"),
        ("SyntaxError: … 'node:zlib' does not provide an export\n", 1, "a Node older than 22.19"),
        ("2.1.0\n", 1, "not Kimi Code: .* exit code 1"),
        ("GNU kimi 2.1.0\n", 0, "not Kimi Code: .* said: GNU kimi 2.1.0"),
        ("", 0, "said: nothing"),
        ("\x00\ufffd" * 999, -11, "exit code -11"),
        ("", None, "did not end .*KIMI_MCP_KIMI"),
        ("What now?\n", None, "did not end .*KIMI_MCP_KIMI"),
    ],
)
def test_everything_else_is_refused_with_what_was_found_and_the_remedy(
    text: str, exit_code: int | None, refusal: str
):
    with pytest.raises(KimiUnusable, match=f"(?s)kimi_unusable: /opt/kimi .*{refusal}") as refused:
        recognise(Answer(text=text, exit_code=exit_code), program=KIMI)

    assert len(str(refused.value)) < 600


@given(st.text(), st.none() | st.integers(-64, 255))
def test_no_answer_is_beyond_judgment(text: str, exit_code: int | None):
    try:
        _, version = recognise(Answer(text=text, exit_code=exit_code), program=KIMI)
    except KimiUnusable:
        return
    assert release(version)
