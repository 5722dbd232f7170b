"""The real Claude Code as one person has it: a home of its own, and our server registered.

Nothing of the machine's own Claude is read or written, and nothing is reached but the scripted
model. Claude Code declares the tasks extension only in a terminal (2.1.330).
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from npm_programs import installed
from patience import PATIENCE_S
from sandbox import Sandbox
from scripted_claude import ScriptedClaude, Turn
from terminal import Terminal

VERSION = "2.1.330"
KEY = "sk-ant-not-a-key-000000000000000000000000"
QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_DISABLE_TERMINAL_TITLE": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "NO_PROXY": "127.0.0.1,localhost",
}


def program() -> Path:
    """Return the executable of the pinned Claude Code."""
    modules = installed("@anthropic-ai/claude-code", VERSION) / "node_modules/@anthropic-ai"
    (found,) = modules.glob("claude-code-*/claude")
    return found


@dataclass(frozen=True, slots=True)
class ClaudeCode:
    """Claude Code in the sandbox's repository, answered by *model*."""

    sandbox: Sandbox
    model: ScriptedClaude
    folder: Path  # for what a terminal needs

    @property
    def config(self) -> Path:
        """Claude Code's own folder."""
        return Path(os.environ["HOME"], ".claude")

    def settle(self, *, server: bool = True) -> None:
        """Write what a person's Claude Code knows after its first start, with our server or not."""
        entry: dict[str, Any] = {"type": "stdio", "command": sys.executable}
        entry |= {"args": ["-m", "kimi_mcp"], "env": {}}
        project: dict[str, Any] = {
            "hasTrustDialogAccepted": True,
            "hasCompletedProjectOnboarding": True,
            "projectOnboardingSeenCount": 9,
            "allowedTools": [],
            "mcpServers": {"kimi": entry} if server else {},
        }
        known = {
            "hasCompletedOnboarding": True,
            "lastOnboardingVersion": "99.0.0",
            "theme": "dark",
            "numStartups": 5,
            "customApiKeyResponses": {"approved": [KEY[-20:]], "rejected": []},
            "projects": {str(self.sandbox.root): project},
        }
        self.config.mkdir(parents=True, exist_ok=True)
        (self.config / ".claude.json").write_text(json.dumps(known), encoding="utf-8")
        allowed = {"permissions": {"allow": ["mcp__kimi"], "defaultMode": "default"}}
        (self.config / "settings.json").write_text(json.dumps(allowed), encoding="utf-8")

    def terminal(self, *arguments: str) -> Terminal:
        """Start an interactive session."""
        argv = [str(program()), *arguments]
        return Terminal(self.folder, argv, cwd=self.sandbox.root, env=self._env())

    def run(self, *arguments: str) -> str:
        """Run one command to its end, and return what it printed."""
        done = subprocess.run(
            [program(), *arguments],
            cwd=self.sandbox.root,
            env=self._env(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _env(self) -> Mapping[str, str]:
        ours = {name: value for name, value in os.environ.items() if name.startswith("KIMI_")}
        return {
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "CLAUDE_CONFIG_DIR": str(self.config),
            "TERM": "xterm-256color",
            "LANG": "C.UTF-8",
            "SHELL": "/bin/sh",
            "ANTHROPIC_BASE_URL": self.model.url,
            "ANTHROPIC_API_KEY": KEY,
            **QUIET,
            **ours,
        }


#: Serve scripts to a Claude Code that has our server; a script is for who knows its word.
StartClaude = Callable[[Mapping[str, Sequence[Turn]]], ClaudeCode]
