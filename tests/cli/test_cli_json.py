"""What scripts read: JSON on stdout and nothing beside it."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harvest import Work, harvested
from sandbox import Sandbox

Run = Callable[..., subprocess.CompletedProcess[str]]


def values(done: subprocess.CompletedProcess[str]) -> Any:
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_a_dispatch_is_told_before_and_after(kimi_mcp: Run, one_task: Sandbox) -> None:
    before = values(kimi_mcp("dispatch", "1", "--dry-run", "--json"))
    after = values(kimi_mcp("dispatch", "1", "--json"))

    assert (before["can_start"], before["obstacles"], before["tasks"]) == (True, [], [1])
    assert before["repository"] == str(one_task.root)
    assert (after["state"], after["delivered"], after["steps"]) == ("finished", 1, 2)
    assert [lane["end"] for lane in after["timeline"][0]["lanes"]] == ["delivered"]
    assert after["tasks"][0]["checks"][0]["command"] == "python3 one.py"


def test_what_stands_in_the_way_is_a_value(kimi_mcp: Run, one_task: Sandbox) -> None:
    one_task.write("one.py", "print(0)\n")
    one_task.commit()

    told = values(kimi_mcp("dispatch", "1", "--dry-run", "--json"))

    assert told["can_start"] is False
    assert any("one.py" in obstacle for obstacle in told["obstacles"])


def test_what_was_not_delivered_is_exit_code_1_with_its_values(
    kimi_mcp: Run, one_task: Sandbox
) -> None:
    spec = one_task.root / "specs/001-one-part.md"
    spec.write_text(spec.read_text("utf-8").replace("python3 one.py", "false"), encoding="utf-8")

    done = kimi_mcp("dispatch", "1", "--json")

    assert (done.returncode, done.stderr) == (1, "")
    assert json.loads(done.stdout)["tasks"][0]["outcome"] == "checks_failed"


def test_the_quota_and_what_tasks_have_cost(kimi_mcp: Run, sandbox: Sandbox) -> None:
    harvest = harvested(sandbox, Work(files={"one.py": "1\n"}))

    quota = values(kimi_mcp("quota", "--json"))
    cost = values(kimi_mcp("quota", "--report", "--json"))

    assert [window["name"] for window in quota["windows"]] == ["7 days", "5 hours"]
    assert len(quota["steps_by_day"]) == 7
    assert quota["said_by_the_account"] is None
    assert [(one["dispatch"], one["steps"]) for one in cost] == [(harvest.id, 6)]


def test_profiles_without_the_secrets_that_one_may_set(
    kimi_mcp: Run, sandbox: Sandbox, tmp_path: Path
) -> None:
    (tmp_path / "kimi-mcp.toml").write_text(
        '[profiles.own]\nkimi = { providers = { x = { api_key = "hunter2hunter2" } } }\n',
        encoding="utf-8",
    )
    assert sandbox.root.exists()

    done = kimi_mcp("profile", "--json")
    told = values(done)
    switched = values(kimi_mcp("profile", "swarm", "--json"))

    assert told["default"] == "moderato"
    assert told["keys"]["loop_control.max_steps_per_turn"] == {
        "now": None,
        "moderato": 100,
        "swarm": 0,
        "own": 100,
    }
    assert told["keys"]["providers.x.api_key"]["own"] == "(secret)"
    assert "hunter2" not in done.stdout
    assert switched["default"] == "swarm"
    assert switched["told"].startswith("The profile is now swarm")
