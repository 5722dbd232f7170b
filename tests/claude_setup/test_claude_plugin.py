"""The plugin as it is shipped: valid for the real Claude Code, and at one with the server."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from claude_code import QUIET, program
from kimi_mcp import __version__
from kimi_mcp.claude import packaged
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.server.app import build
from patience import PATIENCE_S
from tokens import tokens

DATA = Path(packaged.__file__).parent / "marketplace"
PLUGIN = DATA / "kimi-mcp"
SECTIONS = [
    "When to Suggest",
    "When NOT to Suggest",
    "Plan Approval Flow",
    "Plan to Spec Conversion",
    "Quota Awareness",
]


@pytest.mark.parametrize("part", [DATA, PLUGIN])
def test_claude_code_finds_nothing_to_warn_of(part: Path) -> None:
    done = subprocess.run(
        [program(), "plugin", "validate", "--strict", part],
        env={"PATH": os.environ["PATH"], "HOME": os.environ["HOME"], **QUIET},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Validation passed" in done.stdout


def test_what_is_laid_out_differs_from_what_is_shipped_by_the_command_alone() -> None:
    shipped = packaged.marketplace(packaged.SHARED_COMMAND, {})
    own = packaged.marketplace(("/opt/a b/kimi-mcp",), {"env": {"KIMI_MCP_KIMI": "/k"}})

    manifest, hooks = "kimi-mcp/.claude-plugin/plugin.json", "kimi-mcp/hooks/hooks.json"
    assert {path for path, text in own.items() if shipped[path] != text} == {manifest, hooks}
    for path, text in shipped.items():
        if path != hooks:
            assert text == (DATA / path).read_text(encoding="utf-8")
    about = json.loads(own[manifest])
    assert about["version"] == __version__
    assert about["mcpServers"]["kimi"] == {
        "command": "/opt/a b/kimi-mcp",
        "args": [],
        "env": {"KIMI_MCP_KIMI": "/k"},
    }
    (entry,) = json.loads(own[hooks])["hooks"]["PostToolUse"]
    assert entry["hooks"][0]["command"] == "'/opt/a b/kimi-mcp' hook plan-approved"


def test_the_shared_hook_is_silent_on_a_machine_without_us(tmp_path: Path) -> None:
    (call,) = packaged.hook_entry(packaged.SHARED_COMMAND)["hooks"]
    run = ["/bin/sh", "-c", call["command"]]

    alone = subprocess.run(run, env={"PATH": "/nowhere"}, capture_output=True, check=False)
    (tmp_path / "kimi-mcp").write_text('#!/bin/sh\necho "$@"\n', encoding="utf-8")
    (tmp_path / "kimi-mcp").chmod(0o755)
    here = subprocess.run(run, env={"PATH": str(tmp_path)}, capture_output=True, check=False)

    assert (alone.returncode, alone.stdout, alone.stderr) == (0, b"", b"")
    assert (here.returncode, here.stdout) == (0, b"hook plan-approved\n")


async def test_rule_and_skills_name_only_tools_and_arguments_that_there_are() -> None:
    tools = {tool.name: tool.input_schema for tool in await build(Workbench.open()).list_tools()}
    known = {*tools, *re.findall(r'"(\w+)": {', json.dumps([*tools.values()]))}

    for text in [packaged.rule(), *packaged.skills().values()]:
        named = set(re.findall(r"`(\w+)`", text)) - {"diff"}  # a view
        assert named <= known | {"land_result", "over_quota"}
    assert set(packaged.ALLOWED_TOOLS) <= set(tools)
    assert {"plan_to_spec", "land_result", "switch_profile"}.isdisjoint(packaged.ALLOWED_TOOLS)


def test_the_rule_has_its_five_sections_and_is_short() -> None:
    text = packaged.rule()

    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert tokens(text) <= 600
    assert "mcp__" not in text


def test_the_three_manual_commands_take_free_text_and_cost_nothing_until_called() -> None:
    skills = packaged.skills()

    assert set(skills) == {
        "kimi-spec/SKILL.md",
        "kimi-dispatch/SKILL.md",
        "kimi-review/SKILL.md",
    }
    for text in skills.values():
        assert "$ARGUMENTS" in text
        assert "disable-model-invocation: true" in text
        assert tokens(text) <= 300


@pytest.mark.parametrize(
    ("entry", "is_ours"),
    [
        ({"command": "kimi-mcp"}, True),
        ({"command": "/opt/v/bin/kimi-mcp", "args": ["serve"]}, True),
        ({"command": "python", "args": ["-m", "kimi_mcp"]}, True),
        ({"command": "uvx", "args": ["kimi-mcp"]}, True),
        ({"command": "kimi", "args": ["acp"]}, False),
        ({"type": "http", "url": "https://example.invalid/kimi-mcp"}, False),
    ],
)
def test_our_server_is_known_by_its_command(entry: dict[str, object], *, is_ours: bool) -> None:
    assert packaged.is_our_server(entry) is is_ours
