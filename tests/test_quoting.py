import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_mcp.quoting import fenced, harmless, inline, tail

nasty = st.text(
    st.sampled_from(
        "`~ab\n\t\r\x1b[31m]\x07\x9b;\u202e\u2066\u200b\u2028\u061c\u00ad\U000e0041\ufeff"
    )
    | st.characters()
)


@given(nasty, st.sampled_from(["", "diff"]))
def test_a_fence_cannot_be_closed_from_within(text: str, kind: str):
    first, *body, last = fenced(text, kind=kind).split("\n")

    fence = first.removesuffix(kind)
    assert re.fullmatch("`{3,}", fence)
    assert last == fence
    assert all(fence not in line for line in body)


@given(nasty)
def test_nothing_invisible_is_left(text: str):
    shown = harmless(text)

    odd = {c for c in shown if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
    assert odd <= {"\n", "\t"}


@given(nasty)
def test_harmless_text_can_be_written_as_utf_8(text: str):
    assert harmless(text + "\udcff").encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;https://example.invalid\x07link\x1b]8;;\x1b\\", "link"),
        ("one\r\ntwo", "one\ntwo"),
        ("10 %\rdone", "10 %\\rdone"),
        ("\x1b\x1b[0m[31mx", "\\x1b[31mx"),
        ("abc\u202edef", "abc\\u202edef"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("hidden\U000e0141", "hidden\\U000e0141"),
        ("Ünïcödé 漢字 🙂", "Ünïcödé 漢字 🙂"),
    ],
)
def test_colours_are_taken_out_and_other_control_characters_made_visible(text: str, shown: str):
    assert harmless(text) == shown


@given(nasty, st.integers(1, 40))
def test_an_inline_quote_is_one_line_of_bounded_length(text: str, limit: int):
    line = inline(text, limit=limit)

    assert len(line) <= limit
    assert line.splitlines() in ([], [line])


@given(st.text("ab\n", max_size=60), st.integers(1, 30))
def test_a_tail_says_how_much_it_left_out(text: str, limit: int):
    kept = tail(text, limit=limit)

    if len(text) <= limit:
        assert kept == text
    else:
        note, rest = kept.split("\n", 1)
        assert text.endswith(rest)
        assert note == f"[{len(text) - len(rest)} characters before this left out]"
