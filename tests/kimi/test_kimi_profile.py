"""The real CLIs get what a profile says: seen in what they ask the model for."""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from dispatching import Done, carried_out, configure, spec_of
from endings import in_legacy
from kimi_mcp.demo.script import Reply, bash, call, say, write
from kimi_mcp.demo.scripted_model import ScriptedModel, kimi_config
from kimi_mcp.kimi import home
from kimi_mcp.kimi.command import Turn
from kimi_mcp.kimi.dialect import DialectName
from kimi_mcp.kimi.dialects import DIALECTS
from kimi_mcp.kimi.node import bundled_node
from kimi_mcp.lifecycle import Outcome
from kimi_mcp.processes.environment import passed_on
from kimi_mcp.profiles.compose import compose_config
from patience import PATIENCE_S
from sandbox import Sandbox, StartModel

SPEC = spec_of("Make it\n\nFiles:\n- CREATE made.txt\n\nVerification:\n- `test -s made.txt`\n")
STEPS = 4
OTHER = """
[models.other]
provider = "scripted"
model = "another-model"
max_context_size = 262144
capabilities = ["thinking"]
"""
AGENTS = {"Agent", "AgentSwarm"}
FOR_PEOPLE = {"AskUserQuestion", "EnterPlanMode", "ExitPlanMode", "CronCreate", "CreateGoal"}


@pytest.fixture(params=["code", "legacy"])
def dialect(request: pytest.FixtureRequest, legacy_main: Path | None) -> DialectName:
    if request.param == "legacy" and legacy_main is None:
        pytest.skip("no Python here runs the legacy CLI, and these runs are not recorded")
    return cast("DialectName", request.param)


@pytest.fixture
def start(
    dialect: DialectName, start_model: StartModel, request: pytest.FixtureRequest
) -> StartModel:
    """Serve scripts to the dialect's real CLI, as a user who has a second model."""
    chosen: StartModel = (
        start_model if dialect == "code" else request.getfixturevalue("start_legacy_model")
    )

    def started(scripts: Mapping[str, Sequence[Reply]]) -> ScriptedModel:
        spoken = {
            marker: [in_legacy(one) if dialect == "legacy" else one for one in replies]
            for marker, replies in scripts.items()
        }
        model = chosen(spoken)
        for name in ("KIMI_CODE_HOME", "KIMI_SHARE_DIR"):
            if name in os.environ:
                file = Path(os.environ[name], "config.toml")
                file.write_text(kimi_config(model) + OTHER, encoding="utf-8")
        return model

    return started


def profile(**values: object) -> None:
    rows = "\n".join(f"{key} = {json.dumps(value)}" for key, value in values.items())
    configure(f'profile = "mine"\n[profiles.mine]\n{rows}\n')


def tools_of(model: ScriptedModel) -> set[str]:
    return {
        tool["function"]["name"] for tool in cast("list[Any]", model.requests[-1].body["tools"])
    }


async def done_of(sandbox: Sandbox) -> Done:
    return await carried_out(sandbox, SPEC)


async def test_the_step_limit_is_hit_at_exactly_its_number(start: StartModel, sandbox: Sandbox):
    model = start({"(1)": [bash(f"echo {number}") for number in range(STEPS * 3)]})
    profile(steps=STEPS)

    done = await done_of(sandbox)

    assert done.outcomes == {1: Outcome.STEP_LIMIT}
    assert len(model.requests) == STEPS
    assert done.report.steps == STEPS


@pytest.mark.parametrize("is_thinking", [True, False])
async def test_model_thinking_and_tools_are_the_profiles(
    start: StartModel, sandbox: Sandbox, *, is_thinking: bool
):
    model = start({"(1)": [write("made.txt", "made\n"), say("Done.")]})
    profile(steps=9, model="other", thinking=is_thinking, subagents=is_thinking)

    await done_of(sandbox)

    asked = model.requests[-1].body
    assert asked["model"] == "another-model"
    thinks = cast("Mapping[str, object]", asked["thinking"])
    assert thinks["type"] == ("enabled" if is_thinking else "disabled")
    assert bool(tools_of(model) & AGENTS) is is_thinking
    assert not tools_of(model) & FOR_PEOPLE


SLOW_SERVER = """
import json, sys, threading

def answer(request):
    match request["method"]:
        case "initialize":
            return {
                "protocolVersion": request["params"]["protocolVersion"],
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "slow", "version": "1"},
            }
        case "tools/list":
            schema = {"type": "object", "properties": {}}
            return {"tools": [{"name": "rest", "description": "Rest.", "inputSchema": schema}]}
        case "tools/call":
            threading.Event().wait()
        case _:
            return {}

for line in sys.stdin:
    request = json.loads(line)
    if "id" in request:
        answered = {"jsonrpc": "2.0", "id": request["id"], "result": answer(request)}
        print(json.dumps(answered), flush=True)
"""
TIMEOUT_MS = 1500
TOOL = {"code": "mcp__slow__rest", "legacy": "rest"}


def test_a_tool_of_an_mcp_server_is_given_the_profiles_time(
    start: StartModel,
    dialect: DialectName,
    tmp_path: Path,
    kimi_main: Path,
    legacy_main: Path | None,
):
    model = start({"Rest": [call(TOOL[dialect]), say("Rested.")]})
    spoken = DIALECTS[dialect]
    user = Path(os.environ[spoken.home_variable])
    folder = tmp_path / "task-home"
    config = compose_config(
        tomllib.loads((user / "config.toml").read_text(encoding="utf-8")),
        dialect=dialect,
        steps=5,
        attempts=1,
        tool_timeout_ms=TIMEOUT_MS,
        thinking=False,
        model=None,
        subagents=False,
    )
    files = spoken.home_files(guidance=None, has_agents=False)
    home.lay(folder, user=user, config=config, files=files, dialect=spoken)
    servers = {"slow": {"command": sys.executable, "args": ["-c", SLOW_SERVER]}}
    (folder / "mcp.json").write_text(json.dumps({"mcpServers": servers}), encoding="utf-8")
    node = bundled_node()
    assert node
    program = (str(node.node), str(kimi_main)) if dialect == "code" else (str(legacy_main),)
    turn = Turn(prompt="Rest", home=folder, steps=5, attempts=1, session_id=spoken.new_session())

    done = subprocess.run(
        spoken.arguments(program, turn),
        env=spoken.environment(passed_on(os.environ), {}, turn),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert len(model.requests) == 2, [sorted(tools_of(model)), done.stdout]
    answered = json.dumps(cast("list[object]", model.requests[1].body["messages"])[-1]).lower()
    assert "timed out" in answered or "timeout" in answered, answered
