"""What the real CLIs wrote, chopped, mixed and damaged in every way."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatching import dispatched, specify
from endings import PROVIDER, spec_of
from kimi_mcp.kimi.dialect import Dialect
from kimi_mcp.kimi.dialects import DIALECTS
from kimi_mcp.kimi.journal import Journal
from kimi_mcp.kimi.observations import (
    AnswerCompleted,
    Observation,
    StepBegan,
)
from kimi_mcp.kimi.records import LineSplitter
from kimi_mcp.kimi.watch import Bounds, Feed, Watch
from kimi_mcp.lifecycle import TaskState
from recorded_kimi import RECORDINGS, readable, recorded, wrapper
from sandbox import Sandbox

ENDLESS = Bounds(time_s=1e9, silence_s=1e9, tool_s=1e9, retries=1000, steps=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    name: str
    dialect: Dialect
    output: bytes
    journals: tuple[tuple[str, bytes], ...]

    def from_output(self, chunks: Iterable[bytes]) -> list[Observation]:
        splitter = LineSplitter()
        lines = [line for chunk in chunks for line in splitter.feed(chunk)] + [*splitter.flush()]
        return [seen for line in lines for seen in self.dialect.decode_output(line)]

    def from_journal(self, agent: str, text: bytes) -> list[Observation]:
        return [
            seen
            for line in LineSplitter().feed(text)
            for seen in self.dialect.decode_journal(line, agent)
        ]


def load(file: Path) -> Recording:
    record = json.loads(file.read_text(encoding="utf-8"))
    name = file.parent.name
    return Recording(
        name=f"{name} {file.stem}",
        dialect=DIALECTS["legacy" if name == "legacy" else "code"],
        output=record["stdout"].encode(),
        journals=tuple(
            (agent, "".join(line + "\n" for line in lines).encode())
            for agent, lines in record["journals"].items()
        ),
    )


ALL = [load(file) for file in sorted(RECORDINGS.glob("*/*.json"))]
TALKING = [one for one in ALL if one.output and any(b"egin" in text for _, text in one.journals)]
recordings = st.sampled_from(ALL)


def chopped(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    ends = [0, *sorted(cut for cut in cuts if cut <= len(data)), len(data)]
    return [data[start:end] for start, end in pairwise(ends)]


def test_the_recordings_are_of_both_dialects_and_say_something():
    assert Counter(one.dialect.name for one in ALL)["code"] >= 4
    assert Counter(one.dialect.name for one in ALL)["legacy"] >= 30
    for one in TALKING:
        assert one.from_output([one.output])
        assert any(
            isinstance(seen, StepBegan)
            for agent, text in one.journals
            for seen in one.from_journal(agent, text)
        )


@given(recordings, st.sets(st.integers(0, 8000)))
def test_any_chopping_of_the_output_tells_the_same(one: Recording, cuts: set[int]):
    assert one.from_output(chopped(one.output, cuts)) == one.from_output([one.output])


@given(recordings, st.integers(0, 8000), st.binary(max_size=40), st.integers(0, 40))
def test_damage_to_the_output_changes_nothing_before_it_and_raises_nothing(
    one: Recording, at: int, put: bytes, left_out: int
):
    at = min(at, len(one.output))
    damaged = one.output[:at] + put + one.output[at + left_out :]
    whole_lines = one.output[: one.output.rfind(b"\n", 0, at) + 1]
    before = one.from_output([whole_lines])

    assert one.from_output([damaged])[: len(before)] == before


@given(st.sampled_from(TALKING), st.integers(0, 8000), st.binary(max_size=40), st.integers(0, 40))
def test_damage_to_a_journal_changes_nothing_before_it_and_raises_nothing(
    one: Recording, at: int, put: bytes, left_out: int
):
    agent, text = one.journals[-1]
    at = min(at, len(text))
    before = one.from_journal(agent, text[: text.rfind(b"\n", 0, at) + 1])
    damaged = text[:at] + put + text[at + left_out :]

    assert one.from_journal(agent, damaged)[: len(before)] == before


def journal_path(home: Path, dialect: Dialect, agent: str) -> Path:
    if dialect.name == "legacy":
        return home / "sessions" / "0" / "id" / "wire.jsonl"
    return home / "sessions" / "wd_0" / "session_0" / "agents" / agent / "wire.jsonl"


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(TALKING), st.sets(st.integers(0, 8000), max_size=6))
def test_any_chopping_of_a_journal_on_disk_tells_the_same(
    tmp_path_factory: pytest.TempPathFactory, one: Recording, cuts: set[int]
):
    home = tmp_path_factory.mktemp("home")
    journal = Journal(home, one.dialect)
    seen: list[Observation] = []
    for agent, text in one.journals:
        file = journal_path(home, one.dialect, agent)
        file.parent.mkdir(parents=True)
        for chunk in chopped(text, cuts):
            with file.open("ab") as out:
                out.write(chunk)
            seen += journal.read()

    expected = [s for agent, text in one.journals for s in one.from_journal(agent, text)]
    assert seen[1:] == expected  # the first one names the session


async def watched(one: Recording, order: Sequence[bool]) -> tuple[list[Observation], Feed]:
    """Let the feeds tell in turns; where *order* says so, the journal is the next to speak."""
    seen: list[Observation] = []

    async def observe(what: Observation) -> None:
        seen.append(what)

    now = anyio.current_time()
    watch = Watch(
        journal=Journal(Path("absent"), one.dialect),
        dialect=one.dialect,
        observe=observe,
        bounds=ENDLESS,
        began_at=now,
        last_sign_at=now,
    )
    told = one.from_output([one.output])
    noted = [s for agent, text in one.journals for s in one.from_journal(agent, text)]
    for is_journal in [*order, *[True] * len(noted), *[False] * len(told)]:
        if is_journal and noted:
            await watch.take(noted.pop(0), feed=watch.from_journal)
        elif told:
            await watch.take(told.pop(0), feed=watch.from_stdout)
    return seen, watch.from_stdout


def steps(seen: Iterable[Observation]) -> int:
    return sum(isinstance(one, StepBegan) for one in seen)


@settings(deadline=None)
@given(st.sampled_from(TALKING), st.lists(st.booleans(), max_size=60))
async def test_whatever_feed_is_ahead_each_thing_is_told_once(one: Recording, order: list[bool]):
    seen, out = await watched(one, order)

    calm, _ = await watched(one, [True] * 500)
    assert Counter(map(type, seen)) == Counter(map(type, calm))
    assert steps(seen) == max(
        steps(one.from_output([one.output])),
        sum(steps(one.from_journal(agent, text)) for agent, text in one.journals),
    )
    last = one.from_output([one.output])[-1]
    assert out.is_answered == isinstance(last, AnswerCompleted)


DAMAGES: dict[str, Callable[[str], str]] = {
    "cut short": lambda text: text[: len(text) // 2],
    "garbled": lambda text: text.replace('"content"', "\x1b[2J\x00\ufffd"),
    "flooded": lambda text: "x" * 9_000_000 + "\n" + text,
    "whole": lambda text: text,
}


async def test_a_damaged_stream_gives_one_start_and_one_end_and_no_false_success(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder, share = tmp_path / "damaged", tmp_path / "share"
    folder.mkdir()
    share.mkdir()
    record = json.loads(recorded("legacy", "success").read_text(encoding="utf-8"))
    for name, damage in DAMAGES.items():
        damaged = {**record, "stdout": damage(record["stdout"])}
        (folder / recorded("", name).name).write_text(json.dumps(damaged), encoding="utf-8")
    monkeypatch.setenv("KIMI_SHARE_DIR", str(share))
    monkeypatch.setenv("KIMI_MCP_KIMI", str(wrapper(tmp_path, "replay", folder)))
    monkeypatch.setenv("KIMI_MCP_ALLOW_READ", readable(folder))
    titles = [replace(PROVIDER[0], name=name) for name in DAMAGES]
    specify(sandbox, spec_of(titles))

    done = await dispatched(sandbox)

    for number, name in enumerate(DAMAGES, start=1):
        kinds = [event.kind for event in done.events if event.task == number]
        assert kinds[0] == "task.started"
        assert kinds[-1] == "task.ended"
        assert Counter(kinds)["task.started"] == Counter(kinds)["task.ended"] == 1
        is_delivered = done.task(number).task.state is TaskState.DELIVERED
        assert is_delivered == (name in {"flooded", "whole"})
        assert done.task(number).task.steps == 2
