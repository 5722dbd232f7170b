"""Secrets in added lines, told by kind and line."""

import re

from hypothesis import given
from hypothesis import strategies as st

from kimi_mcp.evidence.leaks import Leak, leaks


def redact(text: str) -> str:
    """Take out numbers of five digits or more, and blocks that begin and end with a rule."""
    text = re.sub(r"(?s)=====.*?=====", "[redacted: block]", text)
    return re.sub(r"[0-9]{5,}", "[redacted: number]", text)


def test_a_secret_is_told_by_its_kind_and_line():
    after = "one\ntwo = 12345\nthree = 67890, 11111\n"

    assert leaks(None, after, redact=redact) == [
        Leak(2, "number"),
        Leak(3, "number"),
        Leak(3, "number"),
    ]


def test_what_the_base_holds_is_no_news():
    before = "a = 12345\nb\n"

    assert leaks(before, "b\nnew\na = 12345\n", redact=redact) == []
    assert leaks(before, "a = 12345\na = 12345\nb\n", redact=redact) == [Leak(2, "number")]


def test_a_secret_of_several_lines_begins_in_the_first_and_moves_no_other():
    after = "x\n=====\nline\nline\n=====\ny = 12345\n"

    assert leaks(None, after, redact=redact) == [Leak(2, "block"), Leak(6, "number")]


def test_a_file_that_speaks_of_redaction_leaks_nothing_by_it():
    after = "[redacted: number]\nb = 12345 [redacted: number]\n"

    assert leaks(None, after, redact=redact) == [Leak(2, "number")]


@given(st.none() | st.text(), st.text(), st.lists(st.sampled_from(["12345", "x", "\n", "====="])))
def test_any_text_is_searched(before: str | None, after: str, more: list[str]):
    text = after + "".join(more)

    for leak in leaks(before, text, redact=redact):
        assert 1 <= leak.line <= text.count("\n") + 1
