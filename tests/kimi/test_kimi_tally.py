"""How many requests the journals of a Kimi home tell of, and who may have made one more."""

import json
from pathlib import Path

from kimi_mcp.kimi.dialects import DIALECTS
from kimi_mcp.kimi.tally import Tally, tally

SESSION = "sessions/wd/session_1/agents"


def journal(home: Path, agent: str, *records: dict[str, object]) -> None:
    """Write an agent's journal as Kimi Code 2.1.0 does."""
    file = home / SESSION / agent / "wire.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text("".join(f"{json.dumps(record)}\n" for record in records), encoding="utf-8")


def step() -> dict[str, object]:
    return {"type": "context.append_loop_event", "event": {"type": "step.begin"}}


def asked() -> dict[str, object]:
    return {"type": "turn.prompt", "input": [{"type": "text", "text": "Look at north"}]}


def ended(agent: str) -> dict[str, object]:
    return {"type": "subagent.completed", "subagentId": agent}


def test_an_agent_that_was_asked_and_has_no_step_yet_may_have_made_a_request(
    tmp_path: Path,
) -> None:
    journal(tmp_path, "main", step(), step())
    journal(tmp_path, "agent-1", asked())
    journal(tmp_path, "agent-2", asked(), step())

    assert tally(tmp_path, DIALECTS["code"]) == Tally(requests=3, at_work=3)


def test_an_agent_of_which_nothing_is_written_down_yet_may_have_made_a_request(
    tmp_path: Path,
) -> None:
    journal(tmp_path, "main", step())
    journal(tmp_path, "agent-1")

    assert tally(tmp_path, DIALECTS["code"]) == Tally(requests=1, at_work=2)


def test_an_agent_whose_end_is_written_down_has_made_no_further_request(tmp_path: Path) -> None:
    journal(tmp_path, "main", step(), ended("agent-1"))
    journal(tmp_path, "agent-1", asked(), step())

    assert tally(tmp_path, DIALECTS["code"]) == Tally(requests=2, at_work=1)


def test_a_home_without_journals_tells_of_none(tmp_path: Path) -> None:
    assert tally(tmp_path, DIALECTS["code"]) == Tally(requests=0, at_work=0)
