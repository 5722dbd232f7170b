"""What is seen of Kimi becomes events of the task, in the order in which it happened."""

from hypothesis import given
from hypothesis import strategies as st

from kimi_mcp.dispatch.events import Noted, Said, SessionKnown, Spent, Step, TaskEvent, ToolDone
from kimi_mcp.dispatch.running.watching import Watching
from kimi_mcp.kimi.observations import (
    AgentAsked,
    AgentEnded,
    AnswerCompleted,
    AnswerCut,
    Compacting,
    Observation,
    PlainSaid,
    SessionFound,
    StepBegan,
    TextSaid,
    TokensUsed,
    ToolBegan,
    ToolEnded,
    TurnEnded,
)

STEP, SHORTENING = StepBegan(agent="main"), Compacting(agent="main")
EDIT = ToolBegan(call_id="1", tool="Edit", target="a.py")
READ = ToolBegan(call_id="2", tool="Read", target="b.py")


def events_of(*seen: Observation) -> list[TaskEvent]:
    watching = Watching()
    return [event for one in seen for event in watching.events(one)]


def ended(call_id: str, *, is_error: bool = False) -> ToolEnded:
    return ToolEnded(call_id=call_id, is_error=is_error, duration_ms=7)


@given(st.lists(st.sampled_from([STEP, SHORTENING]), max_size=20))
def test_every_request_to_the_model_is_a_step_of_the_quota(seen: list[Observation]) -> None:
    steps = [event.number for event in events_of(*seen) if isinstance(event, Step)]

    assert steps == [*range(1, len(seen) + 1)]


def test_a_shortened_conversation_is_said_because_it_cost_a_request() -> None:
    (_, noted) = events_of(SHORTENING)

    assert noted == Noted(text="Kimi had the model shorten their conversation: one request more.")


def test_tools_at_work_side_by_side_end_under_their_own_names() -> None:
    seen = events_of(STEP, EDIT, READ, ended("2", is_error=True), ended("1"))

    assert seen == [
        Step(number=1),
        Step(number=1, tool="Edit", target="a.py"),
        Step(number=1, tool="Read", target="b.py"),
        ToolDone(tool="Read", target="b.py", is_error=True, duration_ms=7),
        ToolDone(tool="Edit", target="a.py", is_error=False, duration_ms=7),
    ]


def test_the_end_of_a_tool_that_was_never_seen_to_begin_is_nothing() -> None:
    assert events_of(ended("1")) == []
    assert events_of(EDIT, ended("1"), ended("1"))[2:] == []


def test_tokens_are_told_as_the_sum_so_far() -> None:
    used = TokensUsed(input=10, cached=4, output=1)

    assert events_of(used, used)[-1] == Spent(input=20, cached=8, output=2)


def test_a_session_is_told_once() -> None:
    again = AnswerCompleted(session_id="s1")
    other = SessionFound(session_id="s2")

    assert events_of(
        SessionFound(session_id="s1"), again, other, AnswerCompleted(session_id=None)
    ) == [
        SessionKnown(session_id="s1"),
        SessionKnown(session_id="s2"),
    ]


def test_a_cut_answer_is_noted_and_words_are_passed_on() -> None:
    assert events_of(TextSaid(text="Done."), AnswerCut()) == [
        Said(text="Done."),
        Noted(text="An answer of the model was cut off at its output limit."),
    ]


def test_what_says_nothing_of_the_task_is_no_event() -> None:
    assert (
        events_of(
            TurnEnded(reason="completed", code=None, message=None, status=None),
            PlainSaid(text="a line"),
            AgentAsked(agent="a", text="look"),
            AgentEnded(agent="a"),
        )
        == []
    )
