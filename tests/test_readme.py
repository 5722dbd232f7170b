"""The README says what the code does, and nothing else."""

import json
import re
import tomllib
from pathlib import Path

from kimi_mcp.cli.main import parser
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.lifecycle import EXPLANATIONS
from kimi_mcp.server.app import build
from kimi_mcp.settings import Limits, Settings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return README.split(f"## {title}", 1)[1].split("\n## ", 1)[0]


def test_every_way_to_fail_stands_in_the_readme_in_the_programs_own_words():
    rows = re.findall(
        r"^\| `(\w+)` \| (.+) \| (.+) \|$", section("What can go wrong"), re.MULTILINE
    )

    assert {name: (sentence, action) for name, sentence, action in rows} == {
        str(outcome): tuple(explanation) for outcome, explanation in EXPLANATIONS.items()
    }


async def test_the_tools_of_the_readme_are_those_of_the_server():
    listed = {tool.name for tool in await build(Workbench.open()).list_tools()}

    assert set(re.findall(r"^\| `(\w+)` \|", section("Tools"), re.MULTILINE)) == listed


def test_every_command_stands_in_the_readme():
    commands = re.search(r"`kimi-mcp ([\w |]+)`", section("Tools"))
    assert commands is not None
    known = next(action.choices for action in parser()._actions if action.choices)

    assert commands[1].split(" | ") == list(known or ())


def test_every_setting_stands_in_the_readme():
    told = section("Settings")

    for name in [*Settings.model_fields, *Limits.model_fields]:
        assert name in told


def test_the_example_for_a_project_starts_the_command_that_the_package_installs():
    example = json.loads((ROOT / ".mcp.json.example").read_text(encoding="utf-8"))
    package = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

    (server,) = example["mcpServers"].values()
    assert server["command"] in package["project"]["scripts"]
    assert server["args"] == []


def test_the_first_screen_has_exactly_two_set_up_commands():
    screen = README.split("\n## ", 1)[0]

    assert re.findall(r"^python3 .*&& \S*/(\S+(?: demo)?)$", screen, re.MULTILINE) == [
        "kimi-mcp demo",
        "pytest",
    ]
    assert screen.count("```") == 4
