"""The real Claude Code without a terminal: the README's set-up commands, and print mode."""

import os
import re
import sys
from pathlib import Path

import pytest

from claude_code import ClaudeCode, StartClaude
from conversing import DISCARD, TASK
from kimi_mcp.demo.script import say as kimi_says
from kimi_mcp.demo.script import write
from sandbox import Sandbox, StartModel
from scripted_claude import say, use

README = Path(__file__).parents[2] / "README.md"


def test_the_readmes_command_adds_the_server_and_claude_code_connects_to_it(
    start_claude: StartClaude, monkeypatch: pytest.MonkeyPatch
) -> None:
    # as after an installation, whose folder of programs is on the user's PATH
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    claude = start_claude({"": []})
    claude.settle(server=False)
    found = re.search(r"^claude (mcp add kimi -- kimi-mcp)\b", README.read_text(), re.MULTILINE)
    assert found is not None

    claude.run(*found[1].split())

    assert re.search(r"^kimi: kimi-mcp\s+- ✔ Connected$", claude.run("mcp", "list"), re.MULTILINE)


def test_in_print_mode_the_result_is_inline(
    start_claude: StartClaude, start_model: StartModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIMI_MCP_FOREGROUND_S", "0")
    start_model({TASK: (write("one.py", "ONE = 1\n"), kimi_says("done"))})
    claude: ClaudeCode = start_claude(
        {"": [use("mcp__kimi__dispatch_spec", spec="1"), say("Kimi did it.")]}
    )

    printed = claude.run("-p", "Let Kimi do it")

    assert printed.strip() == "Kimi did it."
    assert claude.model.was_shown("1 of 1 delivered")
    assert not claude.model.was_shown("server-side task")


def test_in_print_mode_nobody_agrees_to_a_discard(
    one_task: Sandbox,
    start_claude: StartClaude,
    start_model: StartModel,
) -> None:
    start_model({TASK: (write("one.py", "ONE = 1\n"), kimi_says("done"))})
    find = use("ToolSearch", query="select:mcp__kimi__land_result", max_results=5)
    dispatch = use("mcp__kimi__dispatch_spec", spec="1")
    claude: ClaudeCode = start_claude({"": [dispatch, find, DISCARD, say("It was refused.")]})

    claude.run("-p", "Let Kimi do it, and discard it")

    assert claude.model.was_shown("needs a person's word, and nobody answered")
    assert one_task.git("for-each-ref", "refs/heads/kimi")
