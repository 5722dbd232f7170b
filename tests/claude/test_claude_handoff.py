"""The hand-off: an approved plan, one question, and then Kimi or Claude; all of it installed."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import anyio
import pytest

from claude_code import QUIET, ClaudeCode, StartClaude, program
from conversing import READY, tell
from kimi_mcp.claude.words import WITHOUT_KIMI
from kimi_mcp.demo.script import say as kimi_says
from kimi_mcp.demo.script import write
from kimi_mcp.dispatch.workbench import Workbench
from living import until
from sandbox import Sandbox, StartModel
from scripted_claude import Turn, say, use
from terminal import Terminal

PLAN = """\
# Plan: three greetings

## Task 1: A formal greeting
**Files:**
- Create: `formal.py`
- Create: `polite.py`

Define the words with which one greets a stranger, as constants.

**Verification:**
- `python3 -c "import formal, polite"`

## Task 2: A casual greeting
**Files:**
- Create: `casual.py`

Define the words with which one greets a friend, as constants.

**Verification:**
- `python3 -c "import casual"`
"""
SMALL_PLAN = "# Plan: a greeting\n\n## Task 1: A greeting\n\nCreate `formal.py`.\n"
TOOL = "mcp__plugin_kimi-mcp_kimi__"
OFFER = "kimi-mcp: the approved plan (2 tasks, 3 files) suits Kimi."
PATIENCE_S = 4.0  # a dialog that has just come takes no key
APPROVE = "2"  # "Yes, manually approve edits"


Installed = Callable[..., ClaudeCode]


def planned(plan: str) -> list[Turn]:
    """Write a plan where Claude Code wants it, and ask for its approval."""

    def place(seen: str) -> Mapping[str, object]:
        found = re.search(r"\S+/plans/[\w-]+\.md", seen)
        assert found is not None
        return {"file_path": found[0], "content": plan}

    return [use("Write", place), use("ExitPlanMode")]


def asked(seen: str) -> Mapping[str, object]:
    """Ask what the hook told to ask."""
    told = seen[seen.rindex("kimi-mcp: the approved plan") :]
    question = re.search(r'"(Who [^"]+\?)"', told)
    options = re.findall(r'^\d\. "([^"]+)": (.+)\.$', told, re.MULTILINE)
    assert question is not None
    assert len(options) == 2
    return {
        "questions": [
            {
                "question": question[1],
                "header": "Implement",
                "multiSelect": False,
                "options": [{"label": one, "description": why} for one, why in options],
            }
        ]
    }


@pytest.fixture
def installed(start_claude: StartClaude, tmp_path: Path) -> Installed:
    """Return the function that gives a Claude Code that `kimi-mcp setup` has set up."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "claude").symlink_to(program())

    def start(*turns: Turn) -> ClaudeCode:
        claude = start_claude({"": turns})
        claude.settle(server=False)
        env = {**os.environ, **QUIET, "CLAUDE_CONFIG_DIR": str(claude.config)}
        subprocess.run(
            [sys.executable, "-m", "kimi_mcp", "setup", "--yes"],
            cwd=claude.sandbox.root,
            env={**env, "PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"},
            check=True,
            capture_output=True,
        )
        return claude

    return start


async def test_delegate_leads_to_a_delivered_result_in_the_checkout(
    installed: Installed,
    start_model: StartModel,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KIMI_MCP_FOREGROUND_S", "110")  # the result comes with the call itself
    formal = (write("formal.py", "GOOD_DAY = 1\n"), write("polite.py", "PLEASE = 1\n"))
    start_model(
        {
            "# Your task (1)": (*formal, kimi_says("done")),
            "# Your task (2)": (write("casual.py", "HI = 1\n"), kimi_says("done")),
        }
    )
    claude = installed(
        *planned(PLAN),
        use("AskUserQuestion", asked),
        use(TOOL + "plan_to_spec", lambda seen: {"plan_path": told_path(seen)}),
        use(TOOL + "dispatch_spec", spec="2"),
        use("ToolSearch", query=f"select:{TOOL}land_result", max_results=5),
        use(TOOL + "land_result", lambda seen: {"dispatch": dispatched(seen), "how": "apply"}),
        say("It is all in your checkout."),
    )
    with claude.terminal("--permission-mode", "plan") as terminal:
        await approved(terminal)
        await answered(terminal, r"1\. Delegate to Kimi \(Recommended\)", "Enter")
        await agreed(terminal, "Plan To Spec")
        await agreed(terminal, "Land Result", within_s=110)
        await terminal.shows(r"It is all in your checkout\.")

    offer = next(one for one in claude.model.requests if OFFER in one.news)
    assert claude.model.requests.index(offer) == 2  # the very next one after the approval
    assert "## Exited Plan Mode" in offer.news
    assert claude.model.was_shown("2 of 2 delivered")
    assert (sandbox.root / "formal.py").read_text(encoding="utf-8") == "GOOD_DAY = 1\n"
    assert "casual.py" in sandbox.git("status", "--short")


async def test_claude_implements_leaves_no_trace(
    installed: Installed, start_model: StartModel, sandbox: Sandbox
) -> None:
    start_model({})
    claude = installed(*planned(PLAN), use("AskUserQuestion", asked), say("I begin."))
    before = everything(sandbox)
    with claude.terminal("--permission-mode", "plan") as terminal:
        await approved(terminal)
        await answered(terminal, r"2\. Claude implements", "2")
        await terminal.shows(r"I begin\.")

    assert claude.model.was_shown('"Who implements this plan?"="Claude implements"')
    assert everything(sandbox) == before
    assert Workbench.open().history.recent(limit=1) == ()


async def test_a_plan_not_worth_it_produces_no_offer(
    installed: Installed, start_model: StartModel
) -> None:
    start_model({})
    claude = installed(*planned(SMALL_PLAN), say("I begin."))
    with claude.terminal("--permission-mode", "plan") as terminal:
        await approved(terminal)
        await terminal.shows(r"I begin\.")

    assert claude.model.was_shown("## Exited Plan Mode")
    assert not claude.model.was_shown("kimi-mcp: the approved plan")


async def test_a_missing_kimi_is_one_line_once_a_session(
    installed: Installed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIMI_MCP_KIMI", "/nowhere/kimi")
    claude = installed(*planned(PLAN), say("I begin."), *planned(PLAN), say("I go on."))
    with claude.terminal("--permission-mode", "plan") as terminal:
        await approved(terminal)
        await terminal.shows(r"I begin\.")
        first = terminal.screen()
    with claude.terminal("--continue", "--permission-mode", "plan") as terminal:
        await approved(terminal)
        await terminal.shows(r"I go on\.")

    assert WITHOUT_KIMI in " ".join(first.split())
    (transcript,) = claude.config.glob("projects/*/*.jsonl")
    kept = transcript.read_text(encoding="utf-8").splitlines()
    told = [json.loads(line)["attachment"]["type"] for line in kept if WITHOUT_KIMI in line]
    assert sorted(told) == ["hook_success", "hook_system_message"]  # what it said, as it was shown
    assert not claude.model.was_shown(OFFER)


async def test_a_manual_command_is_called_by_its_short_name_with_free_text(
    installed: Installed, start_model: StartModel
) -> None:
    start_model({})
    claude = installed(say("I make a spec."))
    with claude.terminal() as terminal:
        await terminal.shows(READY)
        await tell(terminal, '/kimi-spec a "formal" greeting, please')
        await terminal.shows(r"I make a spec\.")

    assert claude.model.was_shown('out of this: a "formal" greeting, please')
    assert claude.model.was_shown("Dispatch nothing.")


async def approved(terminal: Terminal) -> None:
    """Let Claude plan, and approve the plan."""
    await terminal.shows("plan mode on")
    await tell(terminal, "Plan three greetings")
    await answered(terminal, "Would you like to proceed", APPROVE)


async def answered(terminal: Terminal, question: str, *keys: str, within_s: float = 30) -> None:
    """Answer a question, again where it was not yet listening."""
    await terminal.shows(question, within_s=within_s)
    pressed_at = -PATIENCE_S

    def is_gone() -> bool:
        nonlocal pressed_at
        if not re.search(question, terminal.screen()):
            return True
        if anyio.current_time() - pressed_at > PATIENCE_S:
            pressed_at = anyio.current_time()
            terminal.press(*keys)
        return False

    await until(is_gone, within_s=within_s)


async def agreed(terminal: Terminal, tool: str, *, within_s: float = 30) -> None:
    """Let Claude call a tool once it asks for that."""
    question = rf"{tool} Tool: \(MCP\)[\s\S]*Do you want to proceed"
    await answered(terminal, question, "Enter", within_s=within_s)


def told_path(seen: str) -> str:
    """Return the path with which the hook tells to call plan_to_spec."""
    return re.findall(r'plan_path="([^"]+)"', seen)[-1]


def dispatched(seen: str) -> str:
    """Return the dispatch that was made."""
    return re.findall(r"002-three-greetings-[a-z0-9]{4}\b", seen)[-1]


def everything(sandbox: Sandbox) -> dict[str, bytes]:
    """Read the whole checkout."""
    inside = (file for file in sandbox.root.rglob("*") if file.is_file())
    return {str(file): file.read_bytes() for file in inside if ".git" not in file.parts}
