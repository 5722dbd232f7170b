"""Lines at a terminal: whole words, whole commands, and nothing of others without its margin."""

from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from kimi_mcp.cli.wrapping import width, wrapped
from kimi_mcp.quoting.envelope import MARGIN, Margin

COLUMNS = 50


def test_a_line_breaks_between_words_and_never_in_a_command() -> None:
    text = (
        "1. A title: delivered, one of two checks passed · 4 steps · +19 -0\n"
        "Next: review with `kimi-mcp show 001-a-7k3f --view diff`, or `git diff 12345 67890`; then."
    )

    assert wrapped(text, COLUMNS) == snapshot("""\
1. A title: delivered, one of two checks passed ·
   4 steps · +19 -0
Next: review with
`kimi-mcp show 001-a-7k3f --view diff`, or
`git diff 12345 67890`; then.\
""")


def test_what_is_wider_than_the_terminal_stays_in_one_piece_for_copying() -> None:
    command = "`kimi-mcp revise 001-add-login-7k3f 2 --feedback WORDS --allow a.py`"

    assert wrapped(f"Next: {command}.", COLUMNS) == f"Next:\n{command}."


def test_a_quoted_text_breaks_at_its_words_whatever_backticks_it_has() -> None:
    said = '''Kimi's words: "it is ` done, and all of the tests that there are do pass ` now."'''

    assert all(width(line) <= COLUMNS for line in wrapped(said, COLUMNS).splitlines())


def test_two_columns_are_counted_for_a_wide_letter() -> None:
    assert wrapped(f"{'写' * 20} {'写' * 10}", COLUMNS) == f"{'写' * 20}\n{'写' * 10}"


def test_a_combining_sign_takes_no_column() -> None:
    accented = "e\N{COMBINING ACUTE ACCENT}"

    assert width(accented * 5) == 5
    assert (
        wrapped(f"{accented * 30} {accented * 19}", COLUMNS) == f"{accented * 30} {accented * 19}"
    )


def test_a_long_line_of_others_is_cut_at_the_edge_and_goes_on_behind_the_margin() -> None:
    (line,) = Margin.fresh().enclosed("写" * 30)

    assert wrapped(line, COLUMNS).split("\n") == [f"{MARGIN}{'写' * 23}", f"{MARGIN}{'写' * 7}"]


@given(
    st.builds(str.__mul__, st.text(min_size=1, max_size=20), st.integers(0, 20)),
    st.integers(30, 140),
)
def test_what_others_wrote_never_goes_on_without_its_margin(text: str, columns: int) -> None:
    lines = wrapped("\n".join(Margin("123456789").enclosed(text)), columns).split("\n")

    assert not text or all(line.startswith(MARGIN.rstrip()) for line in lines if line)
    assert all(width(line) <= columns for line in lines)


@given(st.lists(st.text('abc`"-.1', min_size=1, max_size=30), max_size=30), st.integers(30, 140))
def test_no_word_is_lost_or_changed(words: list[str], columns: int) -> None:
    text = " ".join(words)

    assert wrapped(text, columns).split() == text.split()
