"""The configuration of a task's own Kimi home, composed from the user's and the profile. Pure.

Carried over is what Kimi needs to reach a model, and what the user took away from it (disabled
tools). Not carried are the user's hooks, MCP servers, permission rules, skills and agents: they
were made for a person at the keyboard, and a dispatch must do the same on every machine.

The surprise: a shell command that exceeds its time is moved to the background by Kimi Code, and in
print mode the run then waits for it for days; the legacy CLI waits an hour for what the model left
there, and then calls the run a failure. Hence the `[background]` tables.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, cast

import tomlkit

#: Tables and keys that lead to a model or say how to talk with it.
_CARRIED = (
    "default_model",
    "default_provider",
    "providers",
    "models",
    "secondary_model",
    "services",
    "thinking",
    "image",
    "token_counting",
)
#: The same for the legacy dialect, where a number of 0 steps is no limit but an error.
_CARRIED_OF_LEGACY = ("default_model", "providers", "models", "services")
UNLIMITED_STEPS = 1_000_000
#: How the user's models make room in their context.
_CARRIED_OF_THE_LOOP = (
    "reserved_context_size",
    "compaction_trigger_ratio",
    "compaction_max_attempts",
)
#: They ask a person, outlive the task, or begin turns with a step budget of their own.
_NEVER = (
    "AskUserQuestion",
    "CreateGoal",
    "CronCreate",
    "CronDelete",
    "CronList",
    "EnterPlanMode",
    "ExitPlanMode",
    "GetGoal",
    "SetGoalBudget",
    "UpdateGoal",
)
_SUBAGENTS = ("Agent", "AgentSwarm")


def compose_config(
    user: Mapping[str, Any],
    *,
    dialect: str = "code",
    steps: int,
    attempts: int,
    tool_timeout_ms: int,
    thinking: bool,
    model: str | None,
    subagents: bool,
    raw: Mapping[str, Any] = MappingProxyType({}),
    hooks: Sequence[Mapping[str, Any]] = (),
) -> str:
    """Compose the `config.toml` of one task. Its text holds the user's keys.

    Args:
        user: the user's own configuration, as `read_config` returns it.
        dialect: `code` or `legacy`; to the latter, agents and tools are given elsewhere.
        steps: what Kimi may take in a turn; 0 for no limit.
        attempts: how often a provider's request is made before it has failed.
        tool_timeout_ms: how long a tool of an MCP server may take.
        thinking: whether the model thinks.
        model: the name of one of the user's models; None for the user's default.
        subagents: whether Kimi may start agents of its own.
        raw: the profile's own settings of Kimi, over the user's.
        hooks: entries of `[[hooks]]`.
    """
    is_legacy = dialect == "legacy"
    user = _merged(user, raw)
    carried = dict.fromkeys((*(_CARRIED_OF_LEGACY if is_legacy else _CARRIED), *raw))
    config: dict[str, Any] = {key: user[key] for key in carried if key in user}
    if model is not None:
        config["default_model"] = model
    config["telemetry"] = False
    loop = _table(user, "loop_control")
    kept = {key: loop[key] for key in _CARRIED_OF_THE_LOOP if key in loop}
    kept |= _table(raw, "loop_control")
    mcp = _table(raw, "mcp")
    if is_legacy:
        config["default_thinking"] = thinking
        config["loop_control"] = kept | {
            "max_steps_per_turn": steps or UNLIMITED_STEPS,
            "max_retries_per_step": attempts,
        }
        config["background"] = {"keep_alive_on_exit": True}  # it exits; the launcher ends them
        config["mcp"] = mcp | {
            "client": _table(mcp, "client") | {"tool_call_timeout_ms": tool_timeout_ms}
        }
    else:
        config["thinking"] = _table(user, "thinking") | {"enabled": thinking}
        config["loop_control"] = kept | {
            "max_steps_per_turn": steps,
            "max_attempts_per_step": attempts,
        }
        config["background"] = {
            "bash_auto_background_on_timeout": False,
            "keep_alive_on_exit": False,
            "print_background_mode": "exit",
        }
        config["mcp"] = mcp | {"tool_timeout_ms": tool_timeout_ms}
        config["tools"] = {"disabled": _disabled(user, subagents=subagents)}
    if hooks:
        config["hooks"] = [dict(hook) for hook in hooks]
    return tomlkit.dumps(config)


def _merged(beneath: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Put one table over another, key by key and table by table."""
    merged = dict(beneath)
    for key, value in over.items():
        mine = merged.get(key)
        is_both = isinstance(value, Mapping) and isinstance(mine, Mapping)
        merged[key] = (
            _merged(cast("Mapping[str, Any]", mine), cast("Mapping[str, Any]", value))
            if is_both
            else value
        )
    return merged


def _table(user: Mapping[str, Any], key: str) -> dict[str, Any]:
    value: Any = user.get(key)
    return dict(cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else {}


def _disabled(user: Mapping[str, Any], *, subagents: bool) -> list[str]:
    own: Any = _table(user, "tools").get("disabled")
    unwanted = cast("list[str]", own) if isinstance(own, list) else []
    return sorted({*map(str, unwanted), *_NEVER, *(() if subagents else _SUBAGENTS)})
