import json

from hypothesis import given
from hypothesis import strategies as st

from kimi_mcp.demo.script import Call, Place, Reply, bash, edit, find_place, say, stream, write


def user(text: str) -> dict[str, object]:
    return {"role": "user", "content": [{"type": "text", "text": text}]}


ANSWER: dict[str, object] = {"role": "assistant", "content": "ok"}
RESULT: dict[str, object] = {"role": "tool", "content": "MARK"}


def test_the_place_is_counted_from_the_message_with_the_marker():
    messages = [{"role": "system", "content": "MARK"}, user("do MARK"), ANSWER, RESULT, ANSWER]

    assert find_place(messages, ["MARK"]) == Place("MARK", 2)


def test_the_newest_marked_message_wins_so_that_a_resumed_session_can_be_steered():
    messages = [user("first"), ANSWER, ANSWER, user("again: second"), user("reminder"), ANSWER]

    assert find_place(messages, ["first", "second"]) == Place("second", 1)


def test_the_longest_marker_in_one_message_wins():
    assert find_place([user("task 12")], ["task 1", "task 12"]) == Place("task 12", 0)


def test_an_empty_marker_takes_every_other_conversation_from_its_beginning():
    messages = [{"role": "user", "content": "hello"}, ANSWER, user("reminder"), ANSWER]

    assert find_place(messages, ["MARK", ""]) == Place("", 2)
    assert find_place(messages, ["MARK"]) is None


odd = st.none() | st.integers() | st.text(max_size=5)
parts = st.dictionaries(st.sampled_from(["type", "text"]), odd)
fields = {"role": st.just("user") | odd, "content": odd | st.lists(odd | parts, max_size=3)}


@given(st.lists(odd | st.fixed_dictionaries({}, optional=fields), max_size=5))
def test_odd_messages_never_break_the_choice(messages: list[object]):
    assert find_place(messages, [""]) == Place("", 0)


def test_the_constructors_call_kimis_own_tools():
    assert write("a", "x").calls == (Call("Write", {"path": "a", "content": "x"}),)
    assert edit("a", "x", "y").calls == (
        Call("Edit", {"path": "a", "old_string": "x", "new_string": "y"}),
    )
    assert bash("ls").calls == (Call("Bash", {"command": "ls"}),)
    assert bash("ls", timeout_s=9).calls == (Call("Bash", {"command": "ls", "timeout": 9}),)
    assert say("bye") == Reply(text="bye")


def test_malformed_arguments_are_streamed_as_they_are():
    frames = stream(Reply(calls=(Call("Bash", "{not json"),)), answers=4, prompt_bytes=0)

    event = json.loads(frames.rest.split(b"\n\n")[0].removeprefix(b"data: "))
    assert event["choices"][0]["delta"]["tool_calls"][0] == {
        "index": 0,
        "id": "call_4_0",
        "type": "function",
        "function": {"name": "Bash", "arguments": "{not json"},
    }


def test_a_stream_ends_with_its_reason_its_usage_and_done():
    *_, reason, usage, done = (
        event.removeprefix(b"data: ")
        for event in stream(say("bye"), answers=1, prompt_bytes=400).rest.strip().split(b"\n\n")
    )

    assert json.loads(reason)["choices"][0]["finish_reason"] == "stop"
    assert json.loads(usage)["usage"]["prompt_tokens"] == 100
    assert done == b"[DONE]"
