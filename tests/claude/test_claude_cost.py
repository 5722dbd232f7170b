"""What a whole delegation costs Claude: every word that it says to us and hears from us."""

from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest

from claude_code import StartClaude
from conversing import session, tell
from kimi_mcp.demo.script import say as kimi_says
from kimi_mcp.demo.script import write
from kimi_mcp.dispatch.workbench import Workbench
from sandbox import Sandbox, StartModel
from scripted_claude import Request, say, use
from tokens import tokens

AIM = 3_000  # without the diff
PARTS = ("store", "server", "client")
PLAN = """\
# Plan: a small notes service

A store, a server over it and a client, each in a module of its own, each with a check.

{tasks}
"""
PART = """\
## Task {number}: Write the {name}

Create `{name}.py` with about a hundred small functions named `{name}_0` and so on, each of which
returns its number, so that the three modules can be told apart by what they return.

Verification: `python3 -c "import {name}; assert {name}.{name}_99() == 99"`
"""


async def test_a_delegation_of_three_tasks_and_three_hundred_lines_costs_few_tokens(
    sandbox: Sandbox,
    start_claude: StartClaude,
    start_model: StartModel,
    monkeypatch: pytest.MonkeyPatch,
    measured: Callable[[str], None],
) -> None:
    monkeypatch.setenv("KIMI_MCP_FOREGROUND_S", "0")
    tasks = [PART.format(number=number, name=name) for number, name in enumerate(PARTS, start=1)]
    sandbox.write("plan.md", PLAN.format(tasks="\n".join(tasks)))
    start_model(
        {
            f"# Your task ({number})": (
                write(f"{name}.py", module(name)),
                kimi_says(f"Wrote {name}.py with a hundred functions and checked the last one."),
            )
            for number, name in enumerate(PARTS, start=1)
        }
    )
    find = use("ToolSearch", query="select:mcp__kimi__get_result,mcp__kimi__land_result")
    turns = [
        use("mcp__kimi__plan_to_spec", plan_path="plan.md"),
        use("mcp__kimi__dispatch_spec", spec="2"),
        say("Kimi is at work."),
        find,
        use("mcp__kimi__get_result", lambda _: {"dispatch": newest(), "view": "diff"}),
        use("mcp__kimi__land_result", lambda _: {"dispatch": newest(), "how": "apply"}),
        say("It is in your checkout."),
    ]
    claude = start_claude({"": turns})
    async with session(claude) as terminal:
        await tell(terminal, "Let Kimi do the plan")
        await terminal.shows(r"It is in your checkout\.", within_s=180)

    said = sum(cost(request) for request in claude.model.requests)
    heard = {name: tokens(text) for name, text in answers(claude.model.requests)}
    diff = heard.pop("get_result")
    total = said + sum(heard.values())
    measured(
        f"a delegation of 3 tasks and 300 lines: {total} tokens without the diff ({diff}): "
        f"said {said}, heard {heard}"
    )
    assert (sandbox.root / "client.py").exists()
    assert {"plan_to_spec", "dispatch_spec", "its result", "land_result"} == set(heard)
    assert total <= AIM


def cost(request: Request) -> int:
    """Count what the model said to us with a request's answer."""
    turn = request.reply
    if turn.tool is None or not turn.tool.startswith("mcp__kimi__"):
        return 0
    given = turn.arguments("") if callable(turn.arguments) else turn.arguments
    return tokens(f"{turn.tool} {dict(given)}")


def answers(requests: list[Request]) -> Iterator[tuple[str, str]]:
    """Yield what came from us as the model saw it, Claude Code's own words about it included."""
    calls: dict[str, str] = {}
    for block in blocks(requests[-1]):
        if block.get("type") == "tool_use" and block["name"].startswith("mcp__kimi__"):
            calls[block["id"]] = block["name"].removeprefix("mcp__kimi__")
        elif block.get("type") == "tool_result" and block["tool_use_id"] in calls:
            parts = block["content"]
            texts = [parts] if isinstance(parts, str) else [part["text"] for part in parts]
            yield calls[block["tool_use_id"]], "\n".join(texts)
        elif "<task-notification>" in str(block.get("text")):
            yield "its result", block["text"]


def blocks(request: Request) -> Iterator[dict[str, Any]]:
    """Yield the blocks of a whole conversation."""
    for message in request.body["messages"]:
        content = message["content"]
        if isinstance(content, str):
            yield {"type": "text", "text": content}
        else:
            yield from cast("list[dict[str, Any]]", content)


def newest() -> str:
    """Return the newest dispatch's id."""
    return Workbench.open().history.recent(limit=1)[0].id


def module(name: str) -> str:
    """Write a module of a hundred lines."""
    return "".join(f"def {name}_{number}(): return {number}\n" for number in range(100))
