"""Pages and tables as they are drawn for a person."""

from rich.console import Console, RenderableType

from kimi_mcp.cli.drawing import diff, page, table, width

HEADS = ["dispatch", "steps", "repository"]
ROWS = [["001-a-rather-long-name-7k3f", "7", "/home/me/one"], ["002-b-7k3f", "12", "/home/me/two"]]


def drawn(part: RenderableType, *, columns: int = 80) -> str:
    console = Console(width=columns, color_system=None, force_terminal=False)
    with console.capture() as captured:
        console.print(part)
    return captured.get()


def test_a_path_stands_in_a_page_as_it_is() -> None:
    path = "/home/_me_/*all*/[a](b)/~~c~~/<d>/__init__.py"
    rows = f"| key | now |\n|---|---|\n| a_b_c | {path} |"
    text = f"# Head\n\nIn {path}:\n\n{rows}\n\n```\n_x_ *y* 1\n```\n"

    shown = drawn(page(text, columns=140), columns=140)

    assert shown.count(path) == 2
    assert "a_b_c" in shown
    assert "_x_ *y* 1" in shown
    assert "Head" in shown
    assert "|" not in shown
    assert "\\" not in shown


def test_a_page_has_the_blank_lines_that_its_text_has() -> None:
    text = (
        "# Head\n\nIn here, with `a command` in it:\n\n| key | now |\n|---|---|\n| a\\|b | - |\n"
        "| c | 1 |\n\nThen:\n\n```\n1 ██\n```\n\nEnd."
    )

    shown = [line.rstrip() for line in drawn(page(text, columns=24), columns=24).splitlines()]

    assert shown == [
        "Head",
        "",
        "In here, with",
        "`a command` in it:",
        "",
        "key  now",
        "a|b  -",
        "c    1",
        "",
        "Then:",
        "",
        "  1 ██",
        "",
        "End.",
    ]


def test_the_lines_of_a_change_are_broken_between_words() -> None:
    shown = drawn(diff("+++ a\n+some words that are wider than it\n-- some\n"), columns=20)

    assert [line.rstrip() for line in shown.splitlines()][:5] == [
        "+++ a",
        "+some words that are",
        "wider than it",
        "-- some",
        "",
    ]


def test_each_line_of_a_page_stays_a_line_of_its_own() -> None:
    text = "# Head\n\nOne.\nTwo.\n| a |\n|---|\n| b |\n\nThree.\n```\ncode\n```\nFour.\nFive."

    lines = [line.strip() for line in drawn(page(text, columns=80)).splitlines()]

    assert [line for line in lines if line in {"One.", "Two.", "Three.", "Four.", "Five."}] == [
        "One.",
        "Two.",
        "Three.",
        "Four.",
        "Five.",
    ]
    assert "\\" not in "".join(lines)


def test_a_table_drops_its_last_columns_and_never_cuts_the_first() -> None:
    assert width(HEADS, ROWS) == 27 + 2 + 5 + 2 + 12
    for columns, heads in {80: 3, 48: 3, 47: 2, 34: 2, 33: 1, 27: 1}.items():
        shown = drawn(table(HEADS, ROWS, columns=columns), columns=columns)

        assert shown.splitlines()[0].split() == HEADS[:heads]
        assert all(row[0] in shown for row in ROWS)
