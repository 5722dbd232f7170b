"""The live view as it looks: whole screens, at 80 and 140 columns, with and without Unicode."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from rich.cells import cell_len

from kimi_mcp.cli.keys import named
from kimi_mcp.cli.letters import can_show_unicode, nearest
from kimi_mcp.cli.screen import View, text_of
from kimi_mcp.cli.viewing import Leave, Stop, Viewer
from kimi_mcp.lifecycle import TaskState
from kimi_mcp.quoting.quotes import inline
from kimi_mcp.review.board import Row

A_ROW = Row(
    number=1,
    title="Count the words",
    state=TaskState.DELIVERED,
    depends_on=(),
    steps=4,
    budget=100,
    passed=1,
    failed=0,
    checks=1,
    doing="+18 -0 in 2 files",
    elapsed_s=5.2,
)
ROWS = (
    A_ROW,
    replace(
        A_ROW,
        number=2,
        title="Find the longest word of all the words",
        state=TaskState.RUNNING,
        steps=13,
        passed=0,
        doing="Bash python3 -m unittest tests.test_longest",
        elapsed_s=65,
    ),
    replace(
        A_ROW,
        number=4,
        title="Say it in [red]every[/red] 言語",
        state=TaskState.FAILED,
        budget=0,
        failed=1,
        checks=2,
        doing="checks_failed: 1 of 2 failed.",
        elapsed_s=4065,
    ),
    replace(
        A_ROW,
        number=3,
        title="Print the report",
        state=TaskState.WAITING,
        depends_on=(1, 2),
        steps=0,
        passed=0,
        doing="after 1, 2",
        elapsed_s=None,
    ),
)
VIEW = View(
    title="001-a-report-on-a-text-rvu4 · running · 1:12 · a report on a text",
    totals="1 of 4 delivered · 21 steps, predicted 17\N{EN DASH}25",
    quota="Through kimi-mcp at least 12 steps in 7 days and 12 in 5 hours.",
    rows=ROWS,
    selected=1,
)


def test_the_view_at_80_columns():
    assert text_of(VIEW, columns=80, lines=24) == snapshot("""\
001-a-report-on-a-text-rvu4 · running · 1:12 · a report on a text
1 of 4 delivered · 21 steps, predicted 17–25

      task              state      steps checks    time
  ✓ 1 Count the words   delivered  4/100    1/1    0:05 +18 -0 in 2 files
> ● 2 Find the longest… running   13/100    0/1    1:05 Bash python3 -m unittes…
  ✗ 4 Say it in [red]e… failed         4  1 bad 1:07:45 checks_failed: 1 of 2 f…
  ○ 3 Print the report  waiting             0/1         after 1, 2

Through kimi-mcp at least 12 steps in 7 days and 12 in 5 hours.
↑ ↓ task · l log · c cancel · q leave, the work goes on\
""")


def test_the_view_at_140_columns_has_room_for_the_order():
    assert text_of(VIEW, columns=140, lines=40) == snapshot("""\
001-a-report-on-a-text-rvu4 · running · 1:12 · a report on a text
1 of 4 delivered · 21 steps, predicted 17–25

      task                                      after state      steps checks    time
  ✓ 1 Count the words                                 delivered  4/100    1/1    0:05 +18 -0 in 2 files
> ● 2 Find the longest word of all the words          running   13/100    0/1    1:05 Bash python3 -m unittest tests.test_longest
  ✗ 4 Say it in [red]every[/red] 言語                 failed         4  1 bad 1:07:45 checks_failed: 1 of 2 failed.
  ○ 3 Print the report                          1, 2  waiting             0/1         after 1, 2

Through kimi-mcp at least 12 steps in 7 days and 12 in 5 hours.
↑ ↓ task · l log · c cancel · q leave, the work goes on\
""")


def test_the_view_without_unicode_has_the_same_columns():
    assert nearest(text_of(VIEW, columns=80, lines=24)) == snapshot("""\
001-a-report-on-a-text-rvu4 - running - 1:12 - a report on a text
1 of 4 delivered - 21 steps, predicted 17-25

      task              state      steps checks    time
  + 1 Count the words   delivered  4/100    1/1    0:05 +18 -0 in 2 files
> * 2 Find the longest~ running   13/100    0/1    1:05 Bash python3 -m unittes~
  x 4 Say it in [red]e~ failed         4  1 bad 1:07:45 checks_failed: 1 of 2 f~
  o 3 Print the report  waiting             0/1         after 1, 2

Through kimi-mcp at least 12 steps in 7 days and 12 in 5 hours.
^ v task - l log - c cancel - q leave, the work goes on\
""")


def test_the_log_shows_its_end_and_scrolls_up():
    log = [f"{step}. Read src/{step}.py (3 ms)" for step in range(1, 30)]
    view = replace(VIEW, log=log)

    end = text_of(view, columns=80, lines=10).splitlines()
    above = text_of(replace(view, scrolled=2), columns=80, lines=10).splitlines()
    top = text_of(replace(view, scrolled=999), columns=80, lines=10).splitlines()

    assert end[3] == "2 Find the longest word of all the words: running"
    assert [line.split(".")[0] for line in end[4:7]] == ["27", "28", "29"]
    assert [line.split(".")[0] for line in above[4:7]] == ["25", "26", "27"]
    assert [line.split(".")[0] for line in top[4:7]] == ["1", "2", "3"]


def test_the_chosen_task_stays_in_sight_among_many():
    rows = [replace(A_ROW, number=number) for number in range(1, 41)]

    for selected in (0, 20, 39):
        lines = text_of(
            replace(VIEW, rows=rows, selected=selected), columns=80, lines=12
        ).splitlines()

        assert len(lines) <= 12
        assert [line for line in lines if line.startswith(f"> ✓ {selected + 1} ")]


@given(
    columns=st.integers(20, 200),
    lines=st.integers(4, 60),
    title=st.text(max_size=90),
    doing=st.text(max_size=120),
    is_log=st.booleans(),
)
def test_no_size_and_no_text_breaks_the_screen(
    columns: int, lines: int, title: str, doing: str, *, is_log: bool
):
    rows = [
        replace(row, title=inline(title, limit=60), doing=inline(doing, limit=120)) for row in ROWS
    ]
    log = [inline(doing, limit=120)] * 99 if is_log else None

    text = text_of(replace(VIEW, rows=rows, log=log), columns=columns, lines=lines)

    assert all(cell_len(line) <= columns for line in text.splitlines())
    assert len(text.splitlines()) <= max(lines, 8)


def test_a_question_stands_where_the_keys_were():
    lines = text_of(replace(VIEW, question="Stop Kimi?"), columns=80, lines=24).splitlines()

    assert lines[-1] == "Stop Kimi?"


def test_keys_are_known_by_their_names():
    assert named(b"lq\x1b[A\x1b[B\x1b[6~\x1b\r\x1b[1;5C!") == [
        "l", "q", "up", "down", "page down", "escape", "enter", "", "",
    ]  # fmt: skip


def test_keys_choose_a_task_and_open_its_log():
    viewer = Viewer([1, 2, 4])

    assert [viewer.press(key) for key in ("down", "down", "down", "up", "l")] == [None] * 5

    assert (viewer.task, viewer.is_log) == (2, True)
    viewer.press("up")
    assert (viewer.task, viewer.scrolled) == (2, 1)
    viewer.press("escape")
    assert (viewer.is_log, viewer.press("escape")) == (False, Leave.LEAVE)


def test_nothing_is_cancelled_without_a_yes():
    viewer = Viewer([1, 2])

    assert viewer.press("c") is None
    assert viewer.question is not None
    assert viewer.press("q") is None  # an answer, and no wish to leave
    assert viewer.question is None
    viewer.press("c")
    assert viewer.press("y") == Stop(None)
    viewer.press("down")
    viewer.press("c")
    assert viewer.press("t") == Stop(2)
    assert viewer.press("q") is Leave.LEAVE


def test_a_key_that_means_nothing_changes_nothing() -> None:
    viewer = Viewer([1, 2], selected=1, is_log=True, scrolled=3)

    assert [viewer.press(key) for key in ("x", "Q", "left", "", "\x00")] == [None] * 5
    assert viewer == Viewer([1, 2], selected=1, is_log=True, scrolled=3)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, True),
        ({"LANG": "en_US.UTF-8"}, True),
        ({"LANG": "C.utf8"}, True),
        ({"LANG": "de_DE.ISO-8859-1"}, False),
        ({"LANG": "C"}, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),  # as Python sets it by itself
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "C", "LC_ALL": "en_US.UTF-8"}, True),
    ],
)
def test_the_locale_says_which_letters_there_are(environ: dict[str, str], *, expected: bool):
    assert can_show_unicode(environ) is expected
