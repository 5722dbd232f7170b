from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kimi_mcp.dispatch.events import (
    Checked,
    Committed,
    Ended,
    Noted,
    Said,
    SessionKnown,
    Spent,
    Started,
    Step,
    TaskEvent,
    ToolDone,
    encode,
)
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.records import Change, Check, Event
from kimi_mcp.lifecycle import Outcome
from kimi_mcp.review.progress import Progress
from kimi_mcp.review.transcript import transcript, whole

CHANGE = Change(path="src/a.py", status="M", added=1, deleted=0)
CHECK = Check(position=1, command="pytest -q", exit_code=0, duration_ms=12, output_tail="")
ENDED = Ended(
    outcome=None, is_cancelled=False, is_checked=True, commit="c0ffee", sentence="1 of 1 passed."
)
STORY: Sequence[TaskEvent] = [
    Started(base="c0ffee"),
    SessionKnown(session_id="s"),
    Step(number=1),
    Step(number=1, tool="Read", target="src/a.py"),
    ToolDone(tool="Read", target="src/a.py", is_error=False, duration_ms=3),
    Spent(input=9, cached=0, output=1),
    Step(number=2),
    Step(number=2, tool="Edit", target="src/a.py"),
    ToolDone(tool="Edit", target="src/a.py", is_error=True, duration_ms=None),
    Step(number=3),
    Said(text="Changed it.\nIt is fine."),
    Committed(commit="c0ffee", changes=(CHANGE,)),
    Noted(text="Set aside before the checks, 1 uncommitted: x."),
    Checked(check=CHECK),
    ENDED,
]


def stored(happened: Sequence[TaskEvent], *, task: int = 4) -> list[Event]:
    events: list[Event] = []
    for number, one in enumerate(happened, start=1):
        kind, payload = encode(one)
        events.append(
            Event(
                dispatch=DispatchId("001-x-7k3f"),
                number=number,
                task=task,
                attempt=1,
                at="2026-01-02T12:00:00.000Z",
                kind=kind,
                payload=payload,
            )
        )
    return events


def test_progress_says_step_task_and_deed():
    progress = Progress([2, 4, 9])

    lines = [progress.line(event) for event in stored(STORY)]

    assert [line for line in lines if line is not None] == [
        "step 0 · task 2/3 · started",
        "step 1 · task 2/3 · thinking",
        'step 1 · task 2/3 · "Read src/a.py"',
        "step 2 · task 2/3 · thinking",
        'step 2 · task 2/3 · "Edit src/a.py"',
        "step 3 · task 2/3 · thinking",
        "step 3 · task 2/3 · 1 file changed, checking",
        "step 3 · task 2/3 · Set aside before the checks, 1 uncommitted: x.",
        'step 3 · task 2/3 · "pytest -q" passed',
        "step 3 · task 2/3 · delivered",
    ]


def test_the_steps_of_two_tasks_are_counted_apart():
    progress = Progress([1, 2])
    progress.line(stored([Step(number=7)], task=1)[0])
    progress.line(stored([Step(number=2)], task=2)[0])

    line = progress.line(stored([Noted(text="hm")], task=1)[0])

    assert line == "step 7 · task 1/2 · hm"


def test_the_end_is_told_by_its_true_name():
    progress = Progress([4])
    ends = {
        "delivered, unchecked": (None, False, False),
        "cancelled": (None, True, False),
        "out_of_scope": (Outcome.OUT_OF_SCOPE, False, False),
    }

    for word, (outcome, is_cancelled, is_checked) in ends.items():
        ended = Ended(
            outcome=outcome,
            is_cancelled=is_cancelled,
            is_checked=is_checked,
            commit=None,
            sentence="",
        )
        line = progress.line(stored([ended])[0])
        assert line == f"step 0 · task 1/1 · {word}"
    lost = replace(ENDED, is_lost=True)
    assert progress.line(stored([lost])[0]) == "step 0 · task 1/1 · lost"


def test_what_is_not_about_a_task_or_unknown_has_no_line():
    progress = Progress([1])
    event = stored([Noted(text="hm")])[0]

    assert progress.line(replace(event, kind="task.teleported")) is None
    assert progress.line(replace(event, task=None)) is None


@given(st.text(max_size=300))
def test_a_line_of_progress_is_one_short_line_whatever_kimi_calls_its_files(target: str):
    line = Progress([4]).line(stored([Step(number=1, tool="Write", target=target)])[0])

    assert line is not None
    assert len(line.splitlines()) == 1
    assert len(line) <= 120


def test_a_transcript_tells_tools_words_and_checks_by_step():
    text, more = transcript(stored(STORY))

    assert more is None
    assert text.splitlines() == [
        "1. Read src/a.py (3 ms)",
        "2. Edit src/a.py FAILED",
        '3. says: "Changed it. It is fine."',
        "— 1 file changed; committed for the checks",
        "3. note: Set aside before the checks, 1 uncommitted: x.",
        "— check `pytest -q`: exit code 0",
        "— ended: 1 of 1 passed.",
    ]


def test_a_transcript_can_begin_at_a_step():
    text, _ = transcript(stored(STORY), from_step=3)

    assert text.splitlines()[0] == '3. says: "Changed it. It is fine."'
    assert whole(stored(STORY), from_step=3) == text.splitlines()
    assert whole(stored(STORY))[0] == "1. Read src/a.py (3 ms)"


def test_the_end_of_an_attempt_without_a_step_is_told():
    text, more = transcript(stored([Started(base="c"), Noted(text="hm"), ENDED]))

    assert text == "0. note: hm\n— ended: 1 of 1 passed."
    assert more is None


def test_of_earlier_attempts_only_the_end_is_told():
    failed = replace(ENDED, outcome=Outcome.BLOCKED, sentence="Which one?")
    newer = [replace(event, attempt=2) for event in stored([Noted(text="hm"), ENDED])]

    text, _ = transcript([*stored([Step(number=1), failed]), *newer])

    assert text.splitlines() == [
        "(attempt 1: blocked. Which one?)",
        "0. note: hm",
        "— ended: 1 of 1 passed.",
    ]


@given(st.lists(st.integers(0, 12), max_size=60))
def test_a_transcript_is_read_whole_by_following_its_steps(calls: list[int]):
    happened: list[TaskEvent] = []
    for step, count in enumerate(calls, start=1):
        happened.append(Step(number=step))
        happened += [
            ToolDone(tool="Bash", target=f"{step}-{n} " + "x" * 70, is_error=False, duration_ms=1)
            for n in range(count)
        ]
    calls_made = [one.target.split()[0] for one in happened if isinstance(one, ToolDone)]

    read: list[str] = []
    more: int | None = 1
    while more is not None:
        at = more
        text, more = transcript(stored(happened), from_step=at)
        assert more is None or more > at
        assert len(text) <= 6_000 + 13 * 120
        lines = [line.split() for line in text.splitlines()]
        read += [line[2] for line in lines if line[0] != f"{more}."]  # those come again

    assert read == calls_made
