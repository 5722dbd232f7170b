"""What becomes of a file of ours that a person may have edited."""

from hypothesis import given
from hypothesis import strategies as st

from kimi_mcp.claude.merging import merge

OLD = "# Rule\n\n## One\nfirst\n\n## Two\nsecond\n"
NEW = "# Rule\n\n## One\nfirst\n\n## Two\nsecond, better\n"
EDITED = "# Rule\n\n## One\nmy own words\n\n## Two\nsecond\n"
LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n"]), max_size=6).map("".join)


def test_what_nobody_edited_is_replaced_without_a_word() -> None:
    assert merge(OLD, NEW, OLD) == (NEW, None)
    assert merge(OLD, NEW, None) == (NEW, None)
    assert merge(None, NEW, None) == (NEW, None)
    assert merge(None, NEW, NEW) == (NEW, None)


def test_an_edit_is_kept_and_told_when_there_is_nothing_new() -> None:
    merged = merge(OLD, OLD, EDITED)

    assert merged == (EDITED, "was edited and is kept as it is")


def test_an_edit_elsewhere_and_a_new_version_come_together() -> None:
    merged = merge(OLD, NEW, EDITED)

    assert merged.text == "# Rule\n\n## One\nmy own words\n\n## Two\nsecond, better\n"
    assert merged.told is not None
    assert "brought in" in merged.told


def test_what_both_changed_alike_is_no_quarrel() -> None:
    new = EDITED.replace("# Rule", "# The rule")

    assert merge(OLD, new, EDITED + "mine\n").text == new + "mine\n"


def test_an_edit_of_the_same_lines_wins_over_a_new_version() -> None:
    theirs = OLD.replace("second", "mine")

    merged = merge(OLD, NEW, theirs)

    assert merged.text == theirs
    assert merged.told is not None
    assert "kept as it is" in merged.told


def test_a_file_that_was_never_ours_is_left_alone() -> None:
    merged = merge(None, NEW, "a rule of their own\n")

    assert merged.text == "a rule of their own\n"
    assert merged.told is not None


@given(LINES, LINES, LINES)
def test_no_line_that_the_person_added_is_ever_lost(old: str, new: str, theirs: str) -> None:
    added = set(theirs.splitlines()) - set(old.splitlines())

    assert added <= set(merge(old, new, theirs).text.splitlines())
    assert merge(old, new, theirs).text == theirs or theirs in {old, new} or old != new
