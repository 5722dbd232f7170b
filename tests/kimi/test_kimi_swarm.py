import json
from pathlib import Path

import pytest

from kimi_mcp.kimi.authors import authors
from kimi_mcp.kimi.brief import lead
from kimi_mcp.kimi.detect import Kimi
from kimi_mcp.kimi.dialect import DialectName
from kimi_mcp.kimi.dialects import DIALECTS
from kimi_mcp.kimi.swarm import no_swarm
from kimi_mcp.kimi.tally import tally


def kimi(version: str, dialect: DialectName = "code") -> Kimi:
    return Kimi(argv=("kimi",), version=version, dialect=dialect, executable=Path("kimi"))


@pytest.mark.parametrize("version", ["2.0.0", "2.1.0", "3.0.0-rc.1"])
def test_kimi_code_of_today_can_lead_a_swarm(version: str):
    assert no_swarm("swarm", kimi(version)) is None


@pytest.mark.parametrize(
    ("found", "named"),
    [
        (kimi("0.38.0"), "Kimi Code 0.38.0"),
        (kimi("1.9.9"), "Kimi Code 1.9.9"),
        (kimi("1.51.0", "legacy"), "the legacy kimi-cli 1.51.0"),
    ],
)
def test_another_kimi_falls_back_and_it_is_said(found: Kimi, named: str):
    said = no_swarm("swarm", found)

    assert said is not None
    assert named in said
    assert "a Kimi of its own" in said
    assert no_swarm("processes", found) is None


def test_the_leader_is_told_the_tool_the_folder_and_the_items():
    told = lead([2, 3, 5], folder="/runs/x/home")

    assert "3 independent tasks" in told
    assert "`Read /runs/x/home/task-{{item}}.md: it is your whole task. Do exactly that.`" in told
    assert 'items: ["2", "3", "5"]' in told


def journal(home: Path, agent: str, *records: object) -> None:
    file = home / "sessions" / "wd" / "session_1" / "agents" / agent / "wire.jsonl"
    file.parent.mkdir(parents=True)
    file.write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")


def tool(name: str, **arguments: object) -> dict[str, object]:
    event = {"type": "tool.call", "toolCallId": "c", "name": name, "args": arguments}
    return {"type": "context.append_loop_event", "event": event}


STEP = {"type": "context.append_loop_event", "event": {"type": "step.begin"}}


def test_the_author_of_a_file_is_the_agent_that_wrote_it_with_a_tool(tmp_path: Path):
    clone = tmp_path / "clone"
    journal(
        tmp_path,
        "agent-1",
        tool("Write", path="a.txt"),
        tool("Edit", path=str(clone / "src" / "b.txt")),
        tool("Bash", command="echo > c.txt"),
        tool("Write", path="/etc/passwd"),
        tool("Write", path=7),
        "nonsense",
    )
    journal(tmp_path, "agent-2", tool("Write", path="d.txt"))

    assert authors(tmp_path, DIALECTS["code"], clone=clone) == {
        "a.txt": "agent-1",
        "src/b.txt": "agent-1",
        "d.txt": "agent-2",
    }


def test_what_journals_tell_is_counted_with_whoever_was_still_at_work(tmp_path: Path):
    journal(
        tmp_path,
        "main",
        STEP,
        {"type": "subagent.completed", "subagentId": "agent-0"},
        {"type": "llm.request", "kind": "compaction"},
    )
    journal(tmp_path, "agent-0", STEP, STEP)
    journal(tmp_path, "agent-1", STEP)

    found = tally(tmp_path, DIALECTS["code"])
    assert (found.requests, found.at_work) == (5, 2)

    journal(tmp_path / "over", "main", STEP, {"type": "turn.ended", "reason": "completed"})
    over = tally(tmp_path / "over", DIALECTS["code"])
    assert (over.requests, over.at_work) == (1, 0)
    assert tally(tmp_path / "nothing", DIALECTS["code"]).requests == 0
