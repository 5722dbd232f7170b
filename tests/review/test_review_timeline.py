"""Who ran when, and what waited on what."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot
from test_review_board import DISPATCH, a_task
from test_review_progress import ENDED

from kimi_mcp.dispatch.events import Committed, Started, Step, TaskEvent, encode
from kimi_mcp.history.ids import RunId
from kimi_mcp.history.records import Event, Run
from kimi_mcp.lifecycle import DispatchState, Outcome
from kimi_mcp.review.timeline import LEGEND, Phase, of_task, timeline, timeline_text

NOW = datetime(2026, 1, 2, 12, 1, 0, tzinfo=UTC)
STARTED, COMMITTED = Started(base="c"), Committed(commit="c", changes=())
FAILED = replace(ENDED, outcome=Outcome.CHECKS_FAILED)
#: second, task, what happened: 1 and 2 side by side, 3 after both, 4 for want of a place after 2
STORY: list[tuple[float, int, TaskEvent]] = [
    (1, 1, STARTED),
    (1, 2, STARTED),
    (10, 1, COMMITTED),
    (12, 1, ENDED),
    (20, 2, COMMITTED),
    (24, 2, FAILED),
    (25, 3, STARTED),
    (26, 4, STARTED),
    (40, 3, COMMITTED),
    (41, 3, ENDED),
]
TASKS = [a_task(1), a_task(2), a_task(3, 1, 2), a_task(4)]


def at(second: float) -> str:
    return f"2026-01-02T12:00:{second:06.3f}Z"


def events(story: Sequence[tuple[float, int, TaskEvent]], *, first: int = 1) -> list[Event]:
    made: list[Event] = []
    for number, (second, task, one) in enumerate(story, start=first):
        kind, payload = encode(one)
        made.append(
            Event(
                dispatch=DISPATCH,
                number=number,
                task=task,
                attempt=1,
                at=at(second),
                kind=kind,
                payload=payload,
            )
        )
    return made


def run(number: int, *, first_event: int = 1, began: float = 0, ended: float | None = None) -> Run:
    return Run(
        id=RunId(f"{DISPATCH}.r{number}"),
        dispatch=DISPATCH,
        number=number,
        task=None,
        first_event=first_event,
        began_at=at(began),
        ended_at=None if ended is None else at(ended),
        state=None if ended is None else DispatchState.FINISHED,
    )


def test_each_task_waits_is_worked_on_and_checked():
    (stretch,) = timeline([run(1)], TASKS, events(STORY), now=NOW)

    lanes = {lane.task: lane for lane in stretch.lanes}
    assert stretch.length_s == 60
    assert [(span.phase, span.start_s, span.end_s) for span in lanes[1].spans] == [
        (Phase.WAITING, 0, 1),
        (Phase.KIMI, 1, 10),
        (Phase.CHECKS, 10, 12),
    ]
    assert (lanes[3].after, lanes[3].queued_s, lanes[3].end) == ((1, 2), 0, "delivered")
    assert (lanes[4].after, lanes[4].queued_s, lanes[4].end) == ((), 26, None)
    assert (lanes[2].end, lanes[2].worked_s) == ("checks_failed", 23)


def test_the_timeline_at_80_and_at_140_columns():
    stretches = timeline([run(1, ended=50)], TASKS, events(STORY), now=NOW)

    assert timeline_text(stretches, columns=80) == snapshot("""\
run 1 · 2026-01-02 12:00:00 UTC · 0:50
1 Part 1  ·██████▒▒                              0:11 delivered
2 Part 2  ·██████████████▒▒▒                     0:23 checks_failed
4 Part 4  ···················██████████████████  0:24 goes on, 0:26 in the queue
3 Part 3  ··················████████████▒        0:16 delivered, after 1, 2
          0:00                             0:50

█ Kimi   ▒ checks   · waiting\
""")
    assert timeline_text(stretches, columns=140) == snapshot("""\
run 1 · 2026-01-02 12:00:00 UTC · 0:50
1 Part 1  ··█████████████████▒▒▒▒                                                                            0:11 delivered
2 Part 2  ··█████████████████████████████████████▒▒▒▒▒▒▒▒                                                    0:23 checks_failed
4 Part 4  ··················································███████████████████████████████████████████████  0:24 goes on, 0:26 in the queue
3 Part 3  ················································██████████████████████████████▒▒                   0:16 delivered, after 1, 2
          0:00                                                                                         0:50

█ Kimi   ▒ checks   · waiting\
""")


def test_each_run_has_an_axis_of_its_own():
    again = [(50.0, 2, STARTED), (55.0, 2, COMMITTED), (58.0, 2, ENDED)]
    runs = [run(1, ended=45), run(2, first_event=11, began=49)]

    first, second = timeline(runs, TASKS, [*events(STORY), *events(again, first=11)], now=NOW)

    assert [lane.task for lane in first.lanes] == [1, 2, 4, 3]
    assert [(lane.task, lane.end) for lane in second.lanes] == [(2, "delivered")]
    assert second.lanes[0].spans[0].end_s == 1
    assert second.length_s == 11


def test_of_one_task_only_the_runs_stand_in_which_it_began():
    again = [(50.0, 2, STARTED), (58.0, 2, ENDED)]
    runs = [run(1, ended=45), run(2, first_event=11, began=49)]
    all_of_it = timeline(runs, TASKS, [*events(STORY), *events(again, first=11)], now=NOW)

    def shown(task: int | None) -> list[tuple[int, list[int]]]:
        return [(one.number, [lane.task for lane in one.lanes]) for one in of_task(all_of_it, task)]

    assert shown(1) == [(1, [1])]
    assert shown(2) == [(1, [2]), (2, [2])]
    assert shown(None) == [(1, [1, 2, 4, 3]), (2, [2])]
    assert timeline_text(of_task(all_of_it, 9), columns=80) == "Nothing of it has begun yet."


def test_an_end_is_told_by_its_name_and_what_is_of_no_task_here_is_passed_over():
    story: list[tuple[float, int, TaskEvent]] = [
        (1, 1, STARTED),
        (2, 1, Step(number=1)),
        (3, 9, STARTED),
        (4, 1, replace(ENDED, is_cancelled=True)),
        (5, 2, STARTED),
        (6, 2, replace(ENDED, is_lost=True)),
    ]

    (stretch,) = timeline([run(1)], TASKS, events(story), now=NOW)

    assert [(lane.task, lane.end) for lane in stretch.lanes] == [(1, "cancelled"), (2, "lost")]


def test_a_run_in_which_nothing_has_begun_is_told_as_that():
    text = timeline_text(timeline([run(1)], TASKS, [], now=NOW), columns=80)

    assert text.splitlines() == [
        "run 1 · 2026-01-02 12:00:00 UTC · 1:00",
        "Nothing of it has begun yet.",
        "",
        LEGEND,
    ]


@given(
    st.lists(
        st.tuples(
            st.floats(0, 59),
            st.sampled_from([1, 2, 3]),
            st.sampled_from([STARTED, COMMITTED, ENDED]),
        )
    ),
    st.integers(40, 200),
)
def test_whatever_happened_no_line_is_longer_than_the_screen(
    story: list[tuple[float, int, TaskEvent]], columns: int
):
    in_time = sorted(story, key=lambda one: one[0])

    text = timeline_text(timeline([run(1)], TASKS, events(in_time), now=NOW), columns=columns)

    assert all(len(line) <= columns for line in text.splitlines())
