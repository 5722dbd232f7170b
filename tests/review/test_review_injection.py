"""Whatever a worker says, in whatever place, stays within the envelope or the quotes."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_review_wording import DISPATCH, ID, NOON, task

from injections import CANARY, CORPUS, bare
from kimi_mcp.dispatch.events import Noted, Said, Step, TaskEvent, ToolDone, encode
from kimi_mcp.dispatch.running import verdict
from kimi_mcp.dispatch.running.rivalry import told_places
from kimi_mcp.dispatch.running.watching import Watching
from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.records import Attempt, Change, Check, Dispatch, Event, Task
from kimi_mcp.kimi.observations import AgentFailed, Retrying
from kimi_mcp.kimi.outcome import RunEnd
from kimi_mcp.lifecycle import DispatchState, Outcome, TaskState
from kimi_mcp.quoting.envelope import Envelope
from kimi_mcp.review import wording
from kimi_mcp.review.progress import Progress
from kimi_mcp.review.report import Report, TaskReport
from kimi_mcp.review.transcript import transcript
from kimi_mcp.workspace.git import Answer, failure

ENVELOPE = Envelope("493028177")
anything = st.text().map(lambda text: f"{CANARY}{text}{CANARY}") | st.sampled_from(CORPUS)


def check_of(text: str) -> Check:
    return Check(position=1, command=text, exit_code=1, duration_ms=1, output_tail=text)


def sentences(text: str) -> list[str]:
    """Word everything that is said about a worker's names, commands and errors."""
    stray = Change(path=text, status="A", added=1, deleted=0, stray_reason="not named")
    proper = RunEnd(outcome=None)
    out_of_scope = verdict.before_checks(proper, [stray] * 5)
    seen = [
        Retrying(error=text, status=500),
        AgentFailed(error=text),
    ]
    noted = [event for one in seen for event in Watching().events(one)]
    module = replace(check_of(text), output_tail=f"Cannot find module '{text}'")
    return [
        out_of_scope.sentence if out_of_scope else "",
        verdict.unsettled([text] * 5).sentence,
        verdict.after_checks([check_of(text)], own_names=()).sentence,
        verdict.after_checks([module], own_names=()).sentence,
        told_places({text: []}),
        str(failure(["status"], Answer(exit_code=1, stdout=b"", stderr=text))),
        *(event.text for event in noted if isinstance(event, Noted)),
    ]


def report_of(text: str, sentence: str, *, state: TaskState = TaskState.FAILED) -> Report:
    told = task(1, state, outcome=Outcome.CHECKS_FAILED, run=(check_of(text),))
    attempt: Attempt = replace(told.attempts[0], closing_words=text, session_id=text)
    row: Task = replace(told.task, title=text, sentence=sentence)
    asked = replace(attempt, quote=text)
    one: TaskReport = replace(told, task=row, attempts=(attempt,))
    other: TaskReport = replace(told, task=replace(row, number=2), attempts=(asked,))
    dispatch: Dispatch = replace(
        DISPATCH, spec_title=text, note=sentence, merged_commit=None, state=DispatchState.FINISHED
    )
    return Report(dispatch=dispatch, tasks=(one, other))


def events_of(text: str, sentence: str) -> list[Event]:
    happened: list[TaskEvent] = [
        Step(number=1, tool=text, target=text),
        ToolDone(tool=text, target=text, is_error=False, duration_ms=1),
        Said(text=text),
        Noted(text=sentence),
    ]
    return [
        Event(
            dispatch=DispatchId(ID),
            number=number,
            task=1,
            attempt=1,
            at=NOON,
            kind=encode(one)[0],
            payload=encode(one)[1],
        )
        for number, one in enumerate(happened, start=1)
    ]


def replies(text: str) -> list[str]:
    """Tell a worker's *text* in every place that it can have."""
    found: list[str] = []
    for sentence in sentences(text):
        report = report_of(text, sentence)
        events = events_of(text, sentence)
        found += [
            sentence,
            wording.summary(report, envelope=ENVELOPE, whole_diff=text),
            wording.checks(report, report.tasks, envelope=ENVELOPE),
            ENVELOPE.around(transcript(events)[0]),
            *(line for event in events if (line := Progress([1]).line(event)) is not None),
        ]
    return found


def test_the_corpus_is_large_enough():
    assert len(set(CORPUS)) >= 60


@pytest.mark.parametrize("text", CORPUS, ids=range(len(CORPUS)))
def test_no_text_of_the_corpus_gets_out_of_its_place(text: str):
    for reply in replies(text):
        assert CANARY not in bare(reply)


@settings(deadline=None)
@given(anything)
def test_no_text_at_all_gets_out_of_its_place(text: str):
    for reply in replies(text):
        assert CANARY not in bare(reply)
        assert reply.encode()
