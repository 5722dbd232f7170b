"""What tests say to an interactive Claude Code, and what they find afterwards."""

import re
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from claude_code import ClaudeCode
from kimi_mcp.demo.script import Reply, write
from kimi_mcp.demo.scripted_model import ScriptedModel
from living import until
from sandbox import StartModel
from scripted_claude import use
from terminal import Terminal

TASK = "# Your task (1)"
DISCARD = use(
    "mcp__kimi__land_result",
    lambda shown: {"how": "discard", "dispatch": re.findall(r"001-one-part-\w{4}", shown)[-1]},
)
READY = r"manual mode on"
HANDED_OVER = r"1 MCP task still running"


@asynccontextmanager
async def session(claude: ClaudeCode, *arguments: str) -> AsyncGenerator[Terminal]:
    """Open an interactive session that takes input."""
    with claude.terminal(*arguments) as terminal:
        await terminal.shows(READY)
        yield terminal


async def tell(terminal: Terminal, text: str) -> None:
    """Type *text* and send it off."""
    terminal.type(text)
    await terminal.shows(text[:20])
    terminal.press("Enter")


async def shown(claude: ClaudeCode, words: str) -> str:
    """Wait until the model is shown *words* as news, and return that news."""
    await until(lambda: claude.model.was_shown(words), within_s=90)
    return next(one.news for one in claude.model.requests if words in one.news)


def held_kimi(start_model: StartModel) -> tuple[ScriptedModel, threading.Event]:
    """Let Kimi write its file, and then wait until the event is set."""
    held = threading.Event()
    done = Reply(text="done", wait_for=held)
    return start_model({TASK: (write("one.py", "ONE = 1\n"), done)}), held
