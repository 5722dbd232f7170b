"""One run, watched: of small programs that speak like Kimi Code, and of the real one."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest

from endings import in_legacy
from kimi_mcp.demo.script import Reply, bash, read, say, write
from kimi_mcp.demo.scripted_model import ScriptedModel, kimi_config
from kimi_mcp.kimi import code, command, home, legacy, run, watch
from kimi_mcp.kimi.dialect import Dialect
from kimi_mcp.kimi.node import bundled_node
from kimi_mcp.kimi.observations import (
    AnswerCompleted,
    Observation,
    SessionFound,
    StepBegan,
    TextSaid,
    TokensUsed,
    ToolBegan,
    ToolEnded,
    TurnEnded,
)
from kimi_mcp.kimi.outcome import KILLED, RunEnd, RunFacts, StopReason, classify
from kimi_mcp.lifecycle import Outcome
from kimi_mcp.processes.child import NotStarted
from kimi_mcp.processes.confinement import Standing
from living import is_alive, pid_in, until
from patience import PATIENCE_S

STEP = StepBegan(agent="main")
BEGIN = {"type": "context.append_loop_event", "event": {"type": "step.begin", "step": 1}}
TOOL: dict[str, Any] = {
    "type": "context.append_loop_event",
    "event": {"type": "tool.call", "toolCallId": "t1", "name": "Bash", "args": {"command": "make"}},
}
WORDS = {
    "type": "context.append_loop_event",
    "event": {"type": "content.part", "part": {"type": "text", "text": "one"}},
}
HINT = {"role": "meta", "type": "session.resume_hint", "session_id": "session_1"}


class Place:
    """Where a run happens, and what was seen of it."""

    def __init__(self, root: Path) -> None:
        self.clone, self.home, self.raw = root / "clone", root / "home", root / "raw"
        for folder in (self.clone, self.home, self.raw):
            folder.mkdir()
        self.seen: list[Observation] = []
        self.cancelled = anyio.Event()

    async def fenced(self, standing: Standing | None) -> None:
        assert standing is None, "no fence was asked for"

    async def observe(self, seen: Observation) -> None:
        self.seen.append(seen)

    async def run(
        self,
        argv: Sequence[str],
        *,
        env: dict[str, str] | None = None,
        step_limit: int = 0,
        time_limit_s: float = 40.0,
        silence_limit_s: float = 40.0,
        tool_limit_s: float = 40.0,
        retry_limit: int = 12,
        grace_s: float = 5.0,
        dialect: Dialect = code.DIALECT,
    ) -> RunFacts:
        order = run.RunOrder(
            dialect=dialect,
            argv=argv,
            env={"PATH": os.environ["PATH"], **(env or {})},
            clone=self.clone,
            home=self.home,
            raw=self.raw,
            bounds=watch.Bounds(
                time_s=time_limit_s,
                silence_s=silence_limit_s,
                tool_s=tool_limit_s,
                retries=retry_limit,
                steps=step_limit,
            ),
            grace_s=grace_s,
            confinement=None,
        )
        with anyio.fail_after(PATIENCE_S):
            return await run.run(
                order,
                observe=self.observe,
                fenced=self.fenced,
                cancelled=self.cancelled,
                paused=anyio.Event(),
            )

    def count(self, kind: type[Observation]) -> int:
        return sum(isinstance(seen, kind) for seen in self.seen)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def fake(*lines: str) -> list[str]:
    """Write a program that speaks like Kimi Code, as lines of shell."""
    journal = """
    d=../home/sessions/wd_1/session_1/agents/main
    mkdir -p $d
    """
    return ["sh", "-c", "\n".join([journal, *lines])]


def out(*records: object) -> str:
    return "\n".join(f"printf '%s\\n' '{json.dumps(record)}'" for record in records)


def note(*records: object) -> str:
    return "\n".join(f"printf '%s\\n' '{json.dumps(r)}' >> $d/wire.jsonl" for r in records)


def answer(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


async def test_without_a_journal_standard_output_tells_all(place: Place):
    facts = await place.run(fake(out(answer("one"), answer("two"), HINT), "echo heard >&2"))

    assert place.seen == [
        STEP,
        TextSaid(text="one"),
        STEP,
        TextSaid(text="two"),
        AnswerCompleted(session_id="session_1"),
    ]
    assert facts == RunFacts(
        exit_code=0,
        signal=None,
        is_answer_complete=True,
        closing_words="two",
        stderr_tail="heard\n",
        turn_ended=None,
        stop_reason=None,
    )
    kept = (place.raw / "stdout.jsonl").read_text(encoding="utf-8")
    assert kept.endswith(json.dumps(HINT) + "\n")
    assert (place.raw / "stderr.txt").read_text(encoding="utf-8") == "heard\n"


async def test_what_both_feeds_tell_is_told_once(place: Place):
    ended = {"type": "turn.ended", "reason": "completed"}
    records = [BEGIN, WORDS, ended]
    await place.run(fake(note(*records), out(answer("one"), HINT)))

    assert place.seen == [
        SessionFound(session_id="session_1"),
        STEP,
        TextSaid(text="one"),
        TurnEnded(reason="completed", code=None, message=None, status=None),
        AnswerCompleted(session_id="session_1"),
    ]


async def test_a_journal_that_comes_late_tells_nothing_twice(place: Place):
    wait_for_it = "until [ -e go ]; do sleep 0.01; done"
    async with anyio.create_task_group() as group:
        program = fake(out(answer("one")), wait_for_it, note(BEGIN, WORDS, BEGIN), out(HINT))
        group.start_soon(place.run, program)
        await until(lambda: place.count(TextSaid) == 1)
        (place.clone / "go").touch()

    assert place.count(TextSaid) == 1
    assert place.count(StepBegan) == 2


async def test_standard_output_goes_on_where_a_removed_journal_stopped(place: Place):
    wait_for_it = "until [ -e go ]; do sleep 0.01; done"
    gone = "rm -r ../home/sessions"
    async with anyio.create_task_group() as group:
        later = out(answer("one"), answer("two"), HINT)
        group.start_soon(place.run, fake(note(BEGIN, WORDS), wait_for_it, gone, later))
        await until(lambda: place.count(TextSaid) == 1)
        (place.clone / "go").touch()

    assert place.count(StepBegan) == 2
    assert [seen.text for seen in place.seen if isinstance(seen, TextSaid)] == ["one", "two"]


async def test_a_program_that_answered_and_does_not_exit_is_ended(
    place: Place, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(watch, "LINGER_S", 0.2)
    facts = await place.run(fake(out(answer("one"), HINT), "echo $$ > it", "exec sleep 5001"))

    assert facts.stop_reason is StopReason.LINGERING
    assert classify(facts) == RunEnd(outcome=None)
    assert not is_alive(await pid_in(place.clone / "it"))


async def test_the_time_limit_ends_it(place: Place):
    facts = await place.run(fake("echo $$ > it", "exec sleep 5002"), time_limit_s=0.5)

    assert classify(facts).outcome is Outcome.TIMED_OUT
    assert not is_alive(await pid_in(place.clone / "it"))


async def test_silence_ends_it(place: Place):
    facts = await place.run(fake(out(answer("one")), "exec sleep 5003"), silence_limit_s=0.3)

    assert classify(facts) == RunEnd(outcome=Outcome.STALLED, quote="one")


@pytest.mark.parametrize("to", ["", ">&2", ">> $d/wire.jsonl"], ids=["out", "err", "journal"])
async def test_any_feed_is_a_sign_of_life(place: Place, to: str):
    say_something = f"printf '%s\\n' '{json.dumps(BEGIN)}' {to}"
    talk = f"for i in 1 2 3 4 5 6 7 8 9 10; do {say_something}; sleep 0.2; done"
    facts = await place.run(fake(talk), silence_limit_s=1.5)

    assert (facts.exit_code, facts.stop_reason) == (0, None)


async def test_a_running_tool_may_be_silent(place: Place):
    facts = await place.run(fake(note(BEGIN, TOOL), "sleep 1"), silence_limit_s=0.3)

    assert (facts.exit_code, facts.stop_reason) == (0, None)


async def test_a_tool_beyond_its_limit_ends_it_though_it_talks(place: Place):
    talk = "for i in $(seq 100); do echo busy >&2; sleep 0.1; done"
    facts = await place.run(fake(note(BEGIN, TOOL), talk), tool_limit_s=0.5)

    assert facts.stop_reason is StopReason.TOOL_STUCK
    assert classify(facts).quote == "Bash make"


async def test_an_agent_is_no_tool_and_may_not_be_silent(place: Place):
    agent = {**TOOL, "event": {**TOOL["event"], "name": "Agent"}}
    facts = await place.run(
        fake(note(BEGIN, agent), "exec sleep 5007"), tool_limit_s=0.1, silence_limit_s=0.5
    )

    assert facts.stop_reason is StopReason.STALLED


async def test_retries_beyond_the_limit_end_it(place: Place):
    retry = {"type": "turn.step.retrying", "errorMessage": "429 slow down", "statusCode": 429}
    within = await place.run(fake(note(retry, retry)), retry_limit=2)
    beyond = await place.run(fake(note(*[retry] * 3), "exec sleep 5008"), retry_limit=2)

    assert within.stop_reason is None
    assert classify(beyond).outcome is Outcome.RATE_LIMITED


async def test_plain_words_after_an_answer_of_the_legacy_cli_are_its_failure(place: Place):
    words = "Error code: 500 - boom"
    facts = await place.run(
        fake(out(answer("one")), f"echo '{words}'", "exit 75"), dialect=legacy.DIALECT
    )

    assert (facts.is_answer_complete, facts.closing_words) == (False, "one")
    assert classify(facts).quote == words


async def test_the_legacy_cli_is_not_ended_early_for_what_looks_like_its_answer(
    place: Place, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(watch, "LINGER_S", 0.1)
    slowly = fake(out(answer("one")), "sleep 1", out(answer("two")))
    facts = await place.run(slowly, dialect=legacy.DIALECT)

    assert (facts.stop_reason, facts.closing_words) == (None, "two")
    assert classify(facts) == RunEnd(outcome=None)


async def test_a_step_over_the_limit_ends_it(place: Place):
    within = await place.run(fake(note(BEGIN, BEGIN)), step_limit=2)
    beyond = await place.run(fake(note(BEGIN, BEGIN, BEGIN), "exec sleep 5004"), step_limit=2)

    assert within.stop_reason is None
    assert classify(beyond).outcome is Outcome.STEP_LIMIT


async def test_a_program_that_is_missing_is_said(place: Place):
    with pytest.raises(NotStarted, match="absent"):
        await place.run(["./absent"])


async def test_a_killed_program_is_told_with_what_it_said_last(place: Place):
    facts = await place.run(fake("exec >&-", "echo bad luck >&2", "kill -9 $$"))

    assert (facts.exit_code, facts.signal) == (None, 9)
    assert classify(facts) == RunEnd(outcome=Outcome.CRASHED, quote="bad luck", explanation=KILLED)


async def test_each_agent_of_a_killed_kimi_may_have_asked_once_more(place: Place):
    earlier = place.home / "sessions/wd_1/session_1/agents/earlier/wire.jsonl"
    earlier.parent.mkdir(parents=True)
    earlier.touch()
    ended = {"type": "subagent.completed", "subagentId": "north"}
    agents = "for a in north south; do mkdir $d/../$a; : > $d/../$a/wire.jsonl; done"

    facts = await place.run(fake(note(BEGIN), agents, note(ended), "kill -9 $$"))

    assert facts.unsure_agents == len(("main", "south"))


async def test_a_grandchild_with_the_output_open_holds_nothing_up(place: Place):
    facts = await place.run(fake("setsid sleep 5005 &", "echo $! > left", out(HINT)))

    assert facts.exit_code == 0
    assert not is_alive(await pid_in(place.clone / "left"))


async def test_streams_are_bounded_on_disk_and_in_memory(
    place: Place, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(run, "RAW_BYTES", 100_000)
    facts = await place.run(fake("seq 1 200000 >&2; seq 1 200000; echo end >&2", out(HINT)))

    assert facts.is_answer_complete
    assert len(facts.stderr_tail) <= run.STDERR_TAIL_BYTES
    assert facts.stderr_tail.endswith("\nend\n")
    for name in ("stdout.jsonl", "stderr.txt"):
        assert 100_000 <= (place.raw / name).stat().st_size < 200_000


async def test_an_error_of_the_observer_ends_everything(place: Place):
    async def fail(seen: Observation) -> None:
        raise LookupError(seen)

    place.observe = fail
    with pytest.raises(ExceptionGroup) as raised:
        await place.run(fake("echo $$ > it", out(answer("one")), "exec sleep 5006"))

    assert raised.group_contains(LookupError)
    assert not is_alive(await pid_in(place.clone / "it"))


@pytest.fixture
def kimi(kimi_main: Path) -> tuple[str, ...]:
    extra = bundled_node()
    assert extra is not None
    return (str(extra.node), str(kimi_main))


def lay(place: Place, model: ScriptedModel, *, steps: int = 20) -> dict[str, str]:
    """Make the home that asks *model*, and return Kimi's environment."""
    home.lay(
        place.home,
        user=place.home / "nobody",
        config=kimi_config(model),
        files=code.home_files(guidance="Be brief.", has_agents=False),
        dialect=code.DIALECT,
    )
    host = {"PATH": os.environ["PATH"], "HOME": str(place.home.parent)}
    return code.environment(
        host, host, command.Turn(prompt="", home=place.home, steps=steps, attempts=2)
    )


def asked(kimi: tuple[str, ...], prompt: str, *, session_id: str | None = None) -> list[str]:
    turn = command.Turn(
        prompt=prompt, home=Path("unused"), steps=0, attempts=2, session_id=session_id
    )
    return code.arguments(kimi, turn)


async def test_the_real_kimi_works_and_goes_on_in_its_session(place: Place, kimi: tuple[str, ...]):
    with ScriptedModel({"": [bash("echo loud >&2"), write("new.txt", "x\n"), say("Done.")],
                        "goal": [say("Again.")]}) as model:  # fmt: skip
        env = lay(place, model)
        facts = await place.run(asked(kimi, "- do it"), env=env)
        first = [*place.seen]
        requests = len(model.requests)
        place.seen.clear()
        session_id = next(seen.session_id for seen in first if isinstance(seen, SessionFound))
        further = asked(kimi, " /goal go on", session_id=session_id)
        again = await place.run(further, env=env)

    assert classify(facts) == RunEnd(outcome=None)
    assert (facts.closing_words, facts.stderr_tail) == ("Done.", "loud\n")
    assert (place.clone / "new.txt").read_text(encoding="utf-8") == "x\n"
    assert sum(seen == STEP for seen in first) == requests == 3
    assert sum(isinstance(seen, TokensUsed) for seen in first) == 3
    tools = [(seen.tool, seen.target) for seen in first if isinstance(seen, ToolBegan)]
    assert tools == [("Bash", "echo loud >&2"), ("Write", "new.txt")]
    assert sum(isinstance(seen, ToolEnded) for seen in first) == 2
    assert first.count(TextSaid(text="Done.")) == 1
    assert AnswerCompleted(session_id=session_id) in first

    assert classify(again) == RunEnd(outcome=None)
    assert again.closing_words == "Again."
    assert AnswerCompleted(session_id=session_id) in place.seen
    assert place.count(StepBegan) == 1
    assert len(model.requests) == 4


async def test_the_real_kimi_stops_at_its_step_limit(place: Place, kimi: tuple[str, ...]):
    with ScriptedModel({"": [bash("echo $RANDOM")]}) as model:
        env = lay(place, model, steps=2)
        facts = await place.run(asked(kimi, "go"), env=env, step_limit=2)

    assert classify(facts).outcome is Outcome.STEP_LIMIT
    assert facts.stop_reason is None
    assert place.count(StepBegan) == 2


async def test_the_real_kimi_meets_a_used_up_plan_after_some_work(
    place: Place, kimi: tuple[str, ...]
):
    used_up = Reply(status=403, body={"error": {"message": "Reached your weekly usage limit"}})
    with ScriptedModel({"": [write("done.txt", "x"), used_up]}) as model:
        facts = await place.run(asked(kimi, "go"), env=lay(place, model))

    assert classify(facts).outcome is Outcome.QUOTA_EXHAUSTED
    assert (place.clone / "done.txt").exists()


async def test_cancelling_the_real_kimi_leaves_no_process(place: Place, kimi: tuple[str, ...]):
    names = ("own-group", "daemon", "stubborn")
    family = """
    setsid sleep 5011 & echo $! > own-group
    env -i setsid sh -c '(sleep 5012 & echo $! > daemon; wait) &'
    trap '' TERM; echo $$ > stubborn; sleep 5013; sleep 5014
    """
    facts: list[RunFacts] = []

    async def go(env: dict[str, str]) -> None:
        facts.append(await place.run(asked(kimi, "go"), env=env, grace_s=1))

    pids: list[int] = []
    with ScriptedModel({"": [bash(family)]}) as model:
        async with anyio.create_task_group() as group:
            group.start_soon(go, lay(place, model))
            pids += [await pid_in(place.clone / name) for name in names]
            assert all(is_alive(pid) for pid in pids)
            place.cancelled.set()

    assert len(pids) == 3
    assert not any(is_alive(pid) for pid in pids)
    assert classify(facts[0]) == RunEnd(outcome=None, is_cancelled=True)


async def test_the_real_kimi_stalls_with_its_provider(place: Place, kimi: tuple[str, ...]):
    with ScriptedModel({"": [Reply(hang="headers")]}) as model:
        arguments = asked(kimi, "go")
        facts = await place.run(arguments, env=lay(place, model), silence_limit_s=3)

    assert classify(facts).outcome is Outcome.STALLED


async def test_the_real_kimi_reads_a_long_brief_from_its_file(place: Place, kimi: tuple[str, ...]):
    brief = "The beginning of it.\n" + "All that is to be done.\n" * 6000
    file = place.home / "brief.md"
    prompt, is_in_file = command.prompt_for(brief, file=file)
    assert is_in_file
    file.write_text(brief, encoding="utf-8")

    with ScriptedModel({"": [read(str(file)), say("Read.")]}) as model:
        facts = await place.run(asked(kimi, prompt), env=lay(place, model))

    assert facts.closing_words == "Read."
    assert str(file) in json.dumps(model.requests[0].body)
    assert "The beginning of it." in json.dumps(model.requests[1].body)


async def test_a_session_that_is_gone_is_no_success(place: Place, kimi: tuple[str, ...]):
    with ScriptedModel({"": [say("Done.")]}) as model:
        env = lay(place, model)
        gone = "session_00000000-0000-4000-8000-000000000000"
        facts = await place.run(asked(kimi, "go", session_id=gone), env=env)

    end = classify(facts)
    assert end.outcome is Outcome.CRASHED
    assert end.explanation is not None
    assert "earlier session" in end.explanation.sentence


async def test_the_real_legacy_cli_works_and_goes_on_in_its_session(
    place: Place, legacy_main: Path | None
):
    if legacy_main is None:  # its replay has no memory
        return
    session_id = legacy.new_session()
    files = legacy.home_files(guidance="Be brief.", has_agents=False)
    host = {"PATH": os.environ["PATH"], "HOME": str(place.home.parent)}

    async def turn(prompt: str) -> RunFacts:
        wish = command.Turn(
            prompt=prompt, home=place.home, steps=9, attempts=1, session_id=session_id
        )
        argv = legacy.arguments((str(legacy_main),), wish)
        env = legacy.environment(host, host, wish)
        return await place.run(argv, env=env, dialect=legacy.DIALECT)

    replies = [write("new.txt", "x\n"), say("Done.")]
    scripts = {"first": [in_legacy(one) for one in replies], "again": [say("Again.")]}
    with ScriptedModel(scripts) as model:
        config = kimi_config(model)
        home.lay(
            place.home,
            user=place.home / "nobody",
            config=config,
            files=files,
            dialect=legacy.DIALECT,
        )
        first = await turn("first")
        seen = [*place.seen]
        place.seen.clear()
        again = await turn("again")
        asked_of_model = [json.dumps(request.body) for request in model.requests]

    assert classify(first) == classify(again) == RunEnd(outcome=None)
    assert (first.closing_words, again.closing_words) == ("Done.", "Again.")
    assert (place.clone / "new.txt").read_text(encoding="utf-8") == "x\n"
    assert seen[0] == SessionFound(session_id=session_id or "")
    assert [one.target for one in seen if isinstance(one, ToolBegan)] == ["new.txt"]
    assert sum(one == STEP for one in seen) == 2
    assert sum(isinstance(one, TokensUsed) for one in seen) == 2
    assert place.count(StepBegan) == 1
    assert "first" in asked_of_model[-1]
    assert "Be brief." in asked_of_model[0]
    assert '"name": "Agent"' not in asked_of_model[0]
    assert '"name": "Shell"' in asked_of_model[0]
