"""How the text of an argument is read."""

from argparse import ArgumentTypeError

import pytest

from kimi_mcp.cli.arguments import label, page_size


@pytest.mark.parametrize(("text", "size"), [("1", 1), ("1000", 1000), ("007", 7)])
def test_a_page_has_up_to_a_thousand_dispatches(text: str, size: int) -> None:
    assert page_size(text) == size


@pytest.mark.parametrize("text", ["0", "1001", "-1", "1.5", "", "many", "\N{SUPERSCRIPT TWO}"])
def test_what_is_no_size_of_a_page_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="from 1 to 1000"):
        page_size(text)


def test_a_label_is_a_key_and_a_value() -> None:
    assert label("disk=fast") == ("disk", "fast")
    assert label("rule=a=b") == ("rule", "a=b")


@pytest.mark.parametrize("text", ["disk", "disk=", "=fast", ""])
def test_what_is_no_label_is_refused(text: str) -> None:
    with pytest.raises(ArgumentTypeError, match="takes KEY=VALUE"):
        label(text)
