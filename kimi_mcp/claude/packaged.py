"""What is installed, made of the package's data and of the command that starts us."""

import json
import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, TypeAlias

from kimi_mcp import __version__

Json: TypeAlias = dict[str, Any]

SERVER = "kimi"  # as Claude Code knows it: mcp__kimi__…
PLUGIN = "kimi-mcp"
MARKETPLACE = "kimi-mcp"
PLUGIN_ID = f"{PLUGIN}@{MARKETPLACE}"
RULE_NAME = "kimi-delegation.md"
#: What a colleague's machine finds on its PATH.
SHARED_COMMAND = ("kimi-mcp",)
#: They touch neither the checkout nor the user's configuration.
ALLOWED_TOOLS = ("get_result", "dispatch_spec", "revise_task", "cancel_dispatch")

_HERE = "kimi_mcp.claude"
_MATCHER = "ExitPlanMode"
_HOOK_BOUND_S = 10
_HOOK_WORDS = ("hook", "plan-approved")


def own_command(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return what starts this very installation: its script by the path on PATH, or Python."""
    script = Path(sys.executable).with_name("kimi-mcp")
    on_path = shutil.which("kimi-mcp", path=environ.get("PATH", ""))
    if on_path and script.is_file() and Path(on_path).resolve() == script.resolve():
        return (str(Path(on_path).absolute()),)
    return (str(script),) if script.is_file() else (sys.executable, "-m", "kimi_mcp")


def marketplace(command: Sequence[str], kept: Mapping[str, Any]) -> dict[str, str]:
    """Return the marketplace's files by their path in it.

    *kept* are keys of an earlier registration that a person chose, such as `env`.
    """
    found = _texts(files(_HERE) / "marketplace")
    manifest = f"{PLUGIN}/.claude-plugin/plugin.json"
    about: Json = json.loads(found[manifest])
    about["version"] = __version__
    about["mcpServers"] = {SERVER: server_entry(command, kept)}
    hooks = {"hooks": {"PostToolUse": [hook_entry(command)]}}
    return found | {manifest: _dumped(about), f"{PLUGIN}/hooks/hooks.json": _dumped(hooks)}


def rule() -> str:
    """Return the rule for plan mode."""
    return (files(_HERE) / "rules" / RULE_NAME).read_text("utf-8")


def skills() -> dict[str, str]:
    """Return the skills' files by their path in a folder of skills."""
    return _texts(files(_HERE) / "marketplace" / PLUGIN / "skills")


def server_entry(command: Sequence[str], kept: Mapping[str, Any]) -> Json:
    """Return our server as Claude Code registers it."""
    return {**kept, "command": command[0], "args": [*command[1:]]}


def hook_entry(command: Sequence[str]) -> Json:
    """Return the hook after a plan's approval, as an entry of `PostToolUse`.

    On a machine without us the shared one does nothing, and says nothing.
    """
    line = shlex.join([*command, *_HOOK_WORDS])
    if tuple(command) == SHARED_COMMAND:
        line = f"! command -v {command[0]} >/dev/null || {line}"
    call = {"type": "command", "command": line, "timeout": _HOOK_BOUND_S}
    return {"matcher": _MATCHER, "hooks": [call]}


def is_our_hook(command: object) -> bool:
    """Tell whether a hook's command line is ours, of any version and installation."""
    return isinstance(command, str) and " ".join(_HOOK_WORDS) in command and "kimi" in command


def is_our_server(entry: Mapping[str, Any]) -> bool:
    """Tell whether a registered server is ours, of any installation."""
    arguments: Any = entry.get("args")
    words = [str(entry.get("command", "")), *map(str, arguments or ())]
    return any(Path(word).name in {"kimi-mcp", "kimi-mcp.exe", "kimi_mcp"} for word in words)


def kept_keys(entry: Mapping[str, Any]) -> Json:
    """Return what a person may have set on a registration, and we carry over."""
    ours = {"type", "command", "args"}
    return {key: value for key, value in entry.items() if key not in ours and value}


def _dumped(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _texts(folder: Traversable) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in folder.iterdir():
        if entry.is_dir():
            inner = _texts(entry)
            found |= {f"{entry.name}/{path}": text for path, text in inner.items()}
        else:
            found[entry.name] = entry.read_text("utf-8")
    return found
