import json
import os
import shutil
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_mcp.kimi.code import DIALECT
from kimi_mcp.kimi.code_feeds import decode_journal as decode
from kimi_mcp.kimi.journal import STILL_LOOKS, Journal
from kimi_mcp.kimi.observations import (
    AgentEnded,
    AgentFailed,
    AnswerCut,
    Compacting,
    Retrying,
    SessionFound,
    StepBegan,
    TextSaid,
    TokensUsed,
    ToolBegan,
    ToolEnded,
    TurnEnded,
)

ID = "session_0f"
FOUND = SessionFound(session_id=ID)
STEP = StepBegan(agent="main")


def loop_event(**event: object) -> dict[str, object]:
    return {"type": "context.append_loop_event", "event": event}


BEGIN = loop_event(type="step.begin", turnId="0", step=1)
RECORDS: list[tuple[dict[str, object], list[object]]] = [
    ({"type": "metadata", "protocol_version": "1.5"}, []),
    (BEGIN, [STEP]),
    (
        loop_event(
            type="tool.call",
            toolCallId="t1",
            name="Bash",
            args={"command": "ls \n -l"},
        ),
        [ToolBegan(call_id="t1", tool="Bash", target="ls -l")],
    ),
    (
        loop_event(type="tool.result", toolCallId="t1", result={"isError": True, "durationMs": 14}),
        [ToolEnded(call_id="t1", is_error=True, duration_ms=14)],
    ),
    (
        {
            "type": "usage.record",
            "usage": {
                "inputOther": 10,
                "inputCacheRead": 200,
                "inputCacheCreation": 3,
                "output": 40,
            },
        },
        [TokensUsed(input=213, cached=200, output=40)],
    ),
    (
        {"type": "turn.step.retrying", "errorMessage": "503", "statusCode": 503},
        [Retrying(error="503", status=503)],
    ),
    (loop_event(type="step.end", finishReason="max_tokens"), [AnswerCut()]),
    (loop_event(type="step.end", finishReason="end_turn"), []),
    (
        {"type": "subagent.failed", "subagentId": "agent-1", "error": "no luck"},
        [AgentFailed(error="no luck"), AgentEnded(agent="agent-1")],
    ),
    (
        {"type": "subagent.failed", "subagentId": "agent-1", "error": {"message": "no"}},
        [AgentFailed(error="no"), AgentEnded(agent="agent-1")],
    ),
    ({"type": "subagent.completed", "subagentId": "agent-2"}, [AgentEnded(agent="agent-2")]),
    ({"type": "subagent.cancelled", "subagentId": "agent-2"}, [AgentEnded(agent="agent-2")]),
    ({"type": "llm.request", "kind": "compaction"}, [Compacting(agent="main")]),
    ({"type": "llm.request", "kind": "loop"}, []),
    (loop_event(type="content.part", part={"type": "text", "text": "hi"}), [TextSaid(text="hi")]),
    (loop_event(type="content.part", part={"type": "think", "text": "hm"}), []),
    (
        {
            "type": "turn.ended",
            "reason": "failed",
            "error": {"code": "a.b", "message": "m", "details": {"statusCode": 403}},
        },
        [TurnEnded(reason="failed", code="a.b", message="m", status=403)],
    ),
    ({"type": "brand.new", "anything": [1]}, []),
]


@pytest.mark.parametrize(("record", "seen"), RECORDS, ids=lambda value: str(value)[:60])
def test_each_record_says_one_thing(record: dict[str, object], seen: list[object]):
    assert decode(json.dumps(record).encode(), agent="main") == seen


def test_the_turn_and_the_words_are_the_main_agents():
    text = loop_event(type="content.part", part={"type": "text", "text": "hi"})
    for record in ({"type": "turn.ended", "reason": "failed"}, text):
        assert decode(json.dumps(record).encode(), agent="agent-1") == []
    assert decode(json.dumps(BEGIN).encode(), agent="agent-1") == [StepBegan(agent="agent-1")]


@given(st.binary())
def test_no_bytes_raise(line: bytes):
    decode(line, agent="main")


WEIRD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)
KEYS = st.sampled_from(
    [
        "event",
        "usage",
        "error",
        "reason",
        "errorMessage",
        "statusCode",
        "type",
        "toolCallId",
        "name",
        "args",
        "result",
        "part",
    ]
)


@given(st.sampled_from([record for record, _ in RECORDS]), KEYS, KEYS, WEIRD)
def test_a_known_record_with_strange_values_gives_storable_texts_or_nothing(
    record: dict[str, object], outer: str, inner: str, value: object
):
    event = record.get("event")
    strange = {**record, outer: value}
    if isinstance(event, dict) and outer != "event":
        strange["event"] = {**event, inner: value}  # pyright: ignore[reportUnknownVariableType]

    for seen in decode(json.dumps(strange).encode(), agent="main"):
        repr(seen).encode()
        if isinstance(seen, TurnEnded):
            assert isinstance(seen.code, str | None)
            assert isinstance(seen.message, str | None)


def test_a_long_target_is_cut():
    record = loop_event(type="tool.call", toolCallId="t", name="Bash", args={"command": "x" * 500})
    [began] = decode(json.dumps(record).encode(), agent="main")

    assert isinstance(began, ToolBegan)
    assert began.target == "x" * 79 + "…"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    wire(tmp_path).parent.mkdir(parents=True)
    return tmp_path


def wire(home: Path, agent: str = "main") -> Path:
    return home / "sessions" / "wd_x_1" / ID / "agents" / agent / "wire.jsonl"


def append(home: Path, *records: object, torn: str = "", agent: str = "main") -> None:
    file = wire(home, agent)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as out:
        out.write("".join(json.dumps(record) + "\n" for record in records) + torn)


def test_a_home_without_sessions_shows_nothing(tmp_path: Path):
    assert Journal(tmp_path / "absent", DIALECT).read() == []


def test_what_is_appended_is_told_once_and_the_session_first(home: Path):
    journal = Journal(home, DIALECT)
    append(home, BEGIN)
    assert journal.read() == [FOUND, STEP]
    append(home, BEGIN, BEGIN)
    assert journal.read() == [STEP, STEP]
    assert journal.read() == []


def test_a_session_is_found_only_with_its_first_step(home: Path):
    journal = Journal(home, DIALECT)
    append(home, {"type": "metadata"}, {"type": "turn.prompt", "agentId": "main", "input": []})
    assert journal.read() == []
    append(home, BEGIN)

    assert journal.read() == [FOUND, STEP]


def test_what_an_earlier_attempt_wrote_is_passed_over(home: Path):
    append(home, BEGIN, BEGIN)
    journal = Journal(home, DIALECT)
    assert journal.read() == []
    append(home, BEGIN)

    assert journal.read() == [FOUND, STEP]


def test_a_torn_last_line_waits_for_its_rest(home: Path):
    journal = Journal(home, DIALECT)
    line = json.dumps(BEGIN)
    append(home, torn=line[:20])
    assert journal.read() == []
    append(home, torn=line[20:] + "\n")

    assert journal.read() == [FOUND, STEP]


def test_a_torn_line_of_a_killed_attempt_may_be_cut_off_at_the_resume(home: Path):
    append(home, BEGIN, torn=json.dumps(loop_event(type="tool.call", args="x" * 10_000))[:9000])
    journal = Journal(home, DIALECT)
    wire(home).write_text(json.dumps(BEGIN) + "\n", encoding="utf-8")
    append(home, BEGIN)

    assert journal.read() == [FOUND, STEP]


def test_agents_have_files_of_their_own(home: Path):
    journal = Journal(home, DIALECT)
    append(home, BEGIN, agent="agent-0")
    append(home, BEGIN)

    assert journal.read() == [FOUND, StepBegan(agent="agent-0"), STEP]


def stillness(journal: Journal) -> list[bool]:
    return [journal.is_still() for _ in range(STILL_LOOKS)]


def test_a_journal_is_still_until_somebody_writes_but_every_so_often_a_look_is_whole(home: Path):
    append(home, BEGIN)
    journal = Journal(home, DIALECT)
    journal.read()
    assert stillness(journal).count(False) == 1

    append(home, torn="{")
    assert not any(stillness(journal))
    journal.read()
    assert stillness(journal).count(False) == 1


@pytest.mark.parametrize("level", range(5), ids=["file", "agent", "agents", "session", "folder"])
def test_what_appears_beside_a_known_journal_ends_its_stillness(home: Path, level: int):
    append(home, BEGIN)
    journal = Journal(home, DIALECT)
    journal.read()

    (wire(home), *wire(home).parents)[level].with_name("another").mkdir()

    assert not any(stillness(journal))


def test_no_journal_is_ever_still_and_neither_is_one_that_was_not_read_to_its_end(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    journal = Journal(home, DIALECT)
    journal.read()
    assert not any(stillness(journal))

    append(home, BEGIN)
    monkeypatch.setattr("kimi_mcp.kimi.journal.READ_BYTES", wire(home).stat().st_size // 2)
    for _ in range(2):
        journal.read()
        assert not any(stillness(journal))
    for _ in range(2):
        journal.read()
    assert stillness(journal).count(False) == 1


@pytest.mark.parametrize("level", range(5), ids=["file", "agent", "agents", "session", "folder"])
def test_a_journal_deleted_midway_shows_nothing_more(home: Path, level: int):
    journal = Journal(home, DIALECT)
    append(home, BEGIN)
    journal.read()
    target = [wire(home), *wire(home).parents][level]
    if target.is_dir():
        shutil.rmtree(target)
    else:
        target.unlink()

    assert journal.read() == []


def test_a_journal_deleted_while_it_is_listed_does_no_harm(home: Path):
    append(home, BEGIN)
    journal = Journal(home, DIALECT)
    done = threading.Event()

    def come_and_go() -> None:
        while not done.is_set():
            shutil.rmtree(home / "sessions", ignore_errors=True)
            append(home, BEGIN)

    worker = threading.Thread(target=come_and_go)
    worker.start()
    try:
        for _ in range(300):
            journal.read()
    finally:
        done.set()
        worker.join()


def test_a_named_pipe_in_its_place_holds_nothing_up(home: Path):
    os.mkfifo(wire(home))
    journal = Journal(home, DIALECT)
    assert journal.read() == []


def test_a_link_that_leads_nowhere_or_round_in_its_place_does_no_harm(home: Path):
    wire(home).symlink_to(wire(home))
    assert Journal(home, DIALECT).read() == []
    wire(home).unlink()
    wire(home).symlink_to(home / "absent")
    assert Journal(home, DIALECT).read() == []
