import json
from collections.abc import Iterable
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kimi_mcp.kimi.code_feeds import decode_output as decode
from kimi_mcp.kimi.legacy_feeds import decode_journal
from kimi_mcp.kimi.observations import (
    AnswerCompleted,
    Compacting,
    Observation,
    PlainSaid,
    Retrying,
    StepBegan,
    TextSaid,
    TokensUsed,
)
from kimi_mcp.kimi.records import LineSplitter, target

TOOL_CALL = {"type": "function", "id": "t1", "function": {"name": "Read", "arguments": "{}"}}
RECORDS: list[object] = [
    {"role": "meta", "type": "system.version", "version": "2.1.0"},
    {"role": "assistant", "content": "Ich lese für dich.", "tool_calls": [TOOL_CALL]},
    {"role": "tool", "tool_call_id": "t1", "content": "1\t# Lab\n2\t"},
    {
        "role": "meta",
        "type": "turn.step.retrying",
        "failed_attempt": 1,
        "error_message": "429 slow down",
        "status_code": 429,
    },
    {"role": "assistant", "tool_calls": [TOOL_CALL]},
    {"role": "assistant", "content": "Done 🎉"},
    {"role": "meta", "type": "session.resume_hint", "session_id": "session_1", "content": "…"},
    {"type": "goal.summary", "goalId": None},
]
RECORDED = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in RECORDS).encode()
STEP = StepBegan(agent="main")
SEEN = [
    STEP,
    TextSaid(text="Ich lese für dich."),
    STEP,
    Retrying(error="429 slow down", status=429),
    STEP,
    STEP,
    TextSaid(text="Done 🎉"),
    AnswerCompleted(session_id="session_1"),
]


def lines(chunks: Iterable[bytes], *, limit_bytes: int = 1000) -> list[bytes]:
    splitter = LineSplitter(limit_bytes=limit_bytes)
    return [line for chunk in chunks for line in splitter.feed(chunk)] + [*splitter.flush()]


def observations(chunks: Iterable[bytes]) -> list[Observation]:
    return [seen for line in lines(chunks) for seen in decode(line)]


def chopped(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    ends = [0, *sorted(cuts), len(data)]
    return [data[start:end] for start, end in pairwise(ends)]


@given(st.sets(st.integers(0, len(RECORDED))))
def test_any_chopping_tells_the_same(cuts: set[int]):
    assert observations(chopped(RECORDED, cuts)) == SEEN


def test_a_last_line_without_newline_counts():
    assert observations([RECORDED.rstrip(b"\n")]) == SEEN


@given(st.binary())
def test_no_bytes_raise(line: bytes):
    decode(line)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=5,
    ),
    st.sampled_from(["content", "error_message", "status_code", "session_id"]),
    st.sampled_from(
        [
            {"role": "assistant"},
            {"role": "meta", "type": "turn.step.retrying"},
            {"role": "meta", "type": "session.resume_hint"},
        ]
    ),
)
def test_a_known_record_with_a_strange_value_does_not_raise(
    value: object, key: str, record: dict[str, str]
):
    decode(json.dumps({**record, key: value}).encode())


def test_of_the_legacy_cli_a_compaction_is_told_and_no_tokens_where_there_are_none():
    def journal(kind: str, **payload: object) -> list[Observation]:
        record = {"timestamp": 1, "message": {"type": kind, "payload": payload}}
        return decode_journal(json.dumps(record).encode(), "main")

    assert journal("CompactionBegin") == [Compacting(agent="main")]
    assert journal("StatusUpdate", token_usage=None) == []
    assert journal("StatusUpdate", token_usage={"output": 3}) == [
        TokensUsed(input=0, cached=0, output=3)
    ]


def test_a_call_without_a_word_on_what_it_is_about_has_no_target():
    assert target({"path": " ", "depth": 3}) == ""


def test_nesting_without_end_does_not_raise():
    assert decode(b"[" * 100_000) == [PlainSaid(text="[" * 100_000)]


def test_half_a_character_becomes_something_that_can_be_stored():
    [_, said] = decode(b'{"role": "assistant", "content": "cut \\ud83d"}')

    assert said == TextSaid(text="cut ?")


@given(st.lists(st.binary(max_size=30).map(lambda line: line.replace(b"\n", b""))), st.data())
def test_a_line_over_the_limit_is_dropped_whole_and_all_others_are_kept(
    written: list[bytes], data: st.DataObject
):
    stream = b"".join(line + b"\n" for line in written)
    cuts = data.draw(st.sets(st.integers(0, len(stream))))

    kept = lines(chopped(stream, cuts), limit_bytes=10)

    assert kept == [line for line in written if len(line) <= 10]


def test_a_line_over_the_limit_is_dropped_though_it_comes_in_short_pieces():
    splitter = LineSplitter(limit_bytes=10)
    for _ in range(100):
        assert [*splitter.feed(b"x" * 9)] == []
    assert [*splitter.feed(b"\nnext\n")] == [b"next"]
