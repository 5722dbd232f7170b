import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from kimi_mcp.errors import Refused
from kimi_mcp.profiles.compose import compose_config
from kimi_mcp.profiles.source import read_config

USER = """\
default_model = "kimi-code/k2"
default_permission_mode = "yolo"
telemetry = true
extra_skill_dirs = ["~/skills"]

[providers."managed:kimi-code"]
oauth = { storage = "file", key = "oauth/kimi-code" }
type = "kimi"
base_url = "https://api.example/v1"

[models."kimi-code/k2"]
provider = "managed:kimi-code"
model = "k2"
max_context_size = 262144
capabilities = ["thinking"]

[thinking]
enabled = true
effort = "high"

[loop_control]
max_steps_per_turn = 7
max_ralph_iterations = -1
reserved_context_size = 40000

[background]
print_background_mode = "steer"

[tools]
disabled = ["WebSearch"]

[permission]
dangerous_command_guard = false

[[hooks]]
event = "Stop"
command = "say done"
"""


def composed(user: Any, **changes: Any) -> str:
    wanted: dict[str, Any] = {
        "steps": 100,
        "attempts": 4,
        "tool_timeout_ms": 120_000,
        "thinking": False,
        "model": None,
        "subagents": False,
    }
    return compose_config(user, **(wanted | changes))


def test_the_composed_text_carries_the_way_to_a_model_and_nothing_that_acts():
    assert composed(tomllib.loads(USER)) == snapshot("""\
default_model = "kimi-code/k2"
telemetry = false

[providers."managed:kimi-code"]
type = "kimi"
base_url = "https://api.example/v1"

[providers."managed:kimi-code".oauth]
storage = "file"
key = "oauth/kimi-code"

[models."kimi-code/k2"]
provider = "managed:kimi-code"
model = "k2"
max_context_size = 262144
capabilities = ["thinking"]

[thinking]
enabled = false
effort = "high"

[loop_control]
reserved_context_size = 40000
max_steps_per_turn = 100
max_attempts_per_step = 4

[background]
bash_auto_background_on_timeout = false
keep_alive_on_exit = false
print_background_mode = "exit"

[mcp]
tool_timeout_ms = 120000

[tools]
disabled = ["Agent", "AgentSwarm", "AskUserQuestion", "CreateGoal", "CronCreate", "CronDelete", "CronList", "EnterPlanMode", "ExitPlanMode", "GetGoal", "SetGoalBudget", "UpdateGoal", "WebSearch"]
""")  # noqa: E501 (a golden text keeps its lines)


def test_without_a_configuration_of_the_user_the_limits_still_stand():
    config = tomllib.loads(composed({}))

    assert config["loop_control"] == {"max_steps_per_turn": 100, "max_attempts_per_step": 4}
    assert "default_model" not in config


def test_a_profile_may_choose_another_of_the_users_models():
    assert tomllib.loads(composed(tomllib.loads(USER), model="other"))["default_model"] == "other"


def test_no_limit_is_written_as_zero():
    config = tomllib.loads(composed({}, steps=0))

    assert config["loop_control"]["max_steps_per_turn"] == 0


def test_subagents_are_tools_only_where_the_profile_allows_them():
    without = tomllib.loads(composed({}))["tools"]["disabled"]
    with_them = tomllib.loads(composed({}, subagents=True))["tools"]["disabled"]

    assert set(without) - set(with_them) == {"Agent", "AgentSwarm"}
    assert "AskUserQuestion" in with_them


def test_our_hooks_are_the_only_ones():
    hook = {"event": "PreToolUse", "matcher": "Bash", "command": "guard", "timeout": 5}

    assert tomllib.loads(composed(tomllib.loads(USER), hooks=[hook]))["hooks"] == [hook]


def test_a_profiles_own_settings_are_put_over_the_users_key_by_key():
    raw = {"loop_control": {"max_ralph_iterations": 2}, "services": {"search": {"key": "x"}}}

    config = tomllib.loads(composed(tomllib.loads(USER), raw=raw))

    assert config["loop_control"]["max_ralph_iterations"] == 2
    assert config["loop_control"]["reserved_context_size"] == 40000
    assert config["services"]["search"] == {"key": "x"}


def test_tables_that_are_none_do_no_harm():
    user = {"thinking": 3, "loop_control": "x", "tools": {"disabled": "x"}, "models": 1}

    assert tomllib.loads(composed(user))["models"] == 1


_values = st.recursive(
    st.text() | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.text(), _values, max_size=4))
def test_whatever_the_user_wrote_about_providers_arrives_unchanged(providers: dict[str, Any]):
    user = {"providers": providers, "models": {"a": {"provider": providers}}}

    config = tomllib.loads(composed(user, hooks=[{"event": "Stop", "command": "x"}]))

    assert config["providers"] == providers
    assert config["models"] == user["models"]
    assert config["telemetry"] is False


def test_a_missing_configuration_is_an_empty_one(tmp_path: Path):
    assert read_config(tmp_path / "config.toml") == {}


def test_a_malformed_configuration_is_refused_with_file_and_line(tmp_path: Path):
    file = tmp_path / "config.toml"
    file.write_text("telemetry = true\ndefault_model = k2\n", encoding="utf-8")

    with pytest.raises(Refused, match=r"config\.toml is not valid TOML: .*line 2"):
        read_config(file)


def test_the_legacy_cli_gets_the_same_under_its_own_keys():
    user = tomllib.loads(USER)
    config = tomllib.loads(composed(user, dialect="legacy", thinking=True))

    assert config == {
        "default_model": "kimi-code/k2",
        "providers": user["providers"],
        "models": user["models"],
        "telemetry": False,
        "default_thinking": True,
        "loop_control": {
            "reserved_context_size": 40_000,
            "max_steps_per_turn": 100,
            "max_retries_per_step": 4,
        },
        "background": {"keep_alive_on_exit": True},
        "mcp": {"client": {"tool_call_timeout_ms": 120_000}},
    }


def test_no_limit_of_steps_is_a_large_one_to_the_legacy_cli():
    config = tomllib.loads(composed({}, dialect="legacy", steps=0))

    assert config["loop_control"]["max_steps_per_turn"] >= 1_000_000
