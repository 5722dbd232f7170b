"""The README says what the code does, and nothing else."""

import ast
import json
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

from kimi_mcp.cli.parser import parser
from kimi_mcp.cli.screen import KEYS, View, text_of
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.lifecycle import EXPLANATIONS, TaskState
from kimi_mcp.review.board import Row
from kimi_mcp.server.app import build
from kimi_mcp.setting_tables import Cluster, Limits, Profile, Quota
from kimi_mcp.settings import Settings

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


def test_every_command_line_of_the_readme_is_understood():
    lines = re.findall(r"^kimi-mcp (.+?)(?:\s+#.*)?$", section("At the terminal"), re.MULTILINE)

    assert len(lines) > 5
    for line in lines:
        arguments = parser().parse_args(shlex.split(line))
        assert arguments.verb == line.split()[0]


def test_the_readme_shows_the_live_view_as_it_is_drawn():
    first = Row(
        number=1,
        title="Count the words",
        state=TaskState.DELIVERED,
        depends_on=(),
        steps=4,
        budget=100,
        passed=1,
        failed=0,
        checks=1,
        doing="+18 -0 in 2 files",
        elapsed_s=5,
    )
    second = replace(
        first,
        number=2,
        title="Find the longest word",
        state=TaskState.RUNNING,
        steps=13,
        passed=0,
        doing="Bash python3 -m unittest tests.test_longest",
        elapsed_s=72,
    )
    third = replace(
        second,
        number=3,
        title="Print the report",
        state=TaskState.WAITING,
        depends_on=(1, 2),
        steps=0,
        doing="after 1, 2",
        elapsed_s=None,
    )
    view = View(
        title="001-a-report-on-a-text-rvu4 · running · 1:12 · a report on a text",
        totals="1 of 3 delivered · 17 steps, predicted 17\N{EN DASH}25",
        quota="Through kimi-mcp at least 17 steps in 7 days and 17 in 5 hours.",
        rows=[first, second, third],
        selected=1,
    )

    assert f"```\n{text_of(view, columns=88, lines=24)}\n```" in section("At the terminal")


def test_the_picture_shows_commands_that_there_are_and_loads_nothing():
    (path,) = re.findall(r"!\[.*\]\((.+\.svg)\)", README)
    picture = (ROOT / path).read_text(encoding="utf-8")
    shown = re.sub(r"<[^>]+>", "", picture.replace("</text>", "\n")).replace("&#160;", " ")

    commands = re.findall(r"^\s*\$ kimi-mcp (.+?) *$", shown, re.MULTILINE)
    assert len(commands) == 3
    for command in commands:
        parser().parse_args(shlex.split(command))
    assert KEYS in shown
    assert not re.search(r"url\((?!#)|href|<script|/tmp/", picture)
    assert picture.count("http") == 1  # the name of what it is written in


def test_every_setting_stands_in_the_readme():
    told = section("Settings")

    tables = (Settings, Limits, Profile, Quota, Cluster)
    for name in [name for table in tables for name in table.model_fields]:
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


def test_every_command_that_is_named_in_passing_is_understood():
    named = re.findall(r"`kimi-mcp ([a-z][^`|\n]*)`", README)

    assert len(named) > 15
    for line in named:
        plain = re.sub(r"\bHOW\b", "apply", re.sub(r"\bN\b", "2", line)).replace("[FILE]", "FILE")
        arguments = parser().parse_args(shlex.split(plain))
        assert arguments.verb == plain.split()[0]


def test_every_message_that_is_quoted_is_one_of_the_programs():
    quoted = re.findall(r"^\| `(.+?)` \| ", section("When something is in the way"), re.MULTILINE)
    said = [
        "".join(str(part.value) for part in parts if isinstance(part, ast.Constant))
        for file in (ROOT / "kimi_mcp").rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.JoinedStr | ast.Constant)
        for parts in [node.values if isinstance(node, ast.JoinedStr) else [node]]
    ]

    assert len(quoted) > 5
    assert [text for text in quoted if not any(text in one for one in said)] == []


def test_every_variable_of_the_environment_is_one_that_is_read():
    source = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "kimi_mcp").rglob("*.py"))
    settings = {f"KIMI_MCP_LIMITS_{name.upper()}" for name in Limits.model_fields}

    named = set(re.findall(r"`(KIMI_\w+)`", README))
    assert named
    assert [name for name in named - settings if name not in source] == []


def test_the_fast_check_of_a_contributor_finds_tests():
    (line,) = re.findall(r"^ +\.venv/bin/ruff .+&& \.venv/bin/pytest (.+)$", README, re.MULTILINE)
    paths = [word for word in shlex.split(line) if word.startswith("tests/")]
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "-n0", "-q", "--collect-only", *paths],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    for path in paths:
        assert f"{path.removesuffix('/')}" in found.stdout
