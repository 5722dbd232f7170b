"""A person's Claude Code with a life of its own, before we come."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from acquainted import Acquaintance
from claude_code import QUIET, program
from configured import Setup
from kimi_mcp.state import StateFolder
from patience import PATIENCE_S
from sandbox import Sandbox

ROOT = Path(__file__).parents[2]


STATE = """\
{"numStartups": 5, "userID": "%s", "firstStartTime": "2026-01-01T00:00:00.000Z",
   "mcpServers": {"other": {"type":"stdio","command":"true","args":[]}},
 "projects": {"%s": {"allowedTools": [], "hasTrustDialogAccepted": true}}}
"""
SETTINGS = """\
{
    "permissions": {"allow": ["Bash(ls:*)"], "deny": []},
    "env": {"TOKEN": "not-to-be-shown"},

    "hooks": {
        "PostToolUse": [
            {"matcher":"Write","hooks":[{"type":"command","command":"fmt"}]}
        ]
    }
}
"""


@pytest.fixture
def config() -> Path:
    """Claude Code's folder, full of what a person has."""
    folder = Path(os.environ["HOME"], ".claude")
    files = {
        "settings.json": SETTINGS,
        "rules/mine.md": "Be brief.\n",
        "skills/mine/SKILL.md": "---\nname: mine\ndescription: Mine\n---\n\nDo mine.\n",
        "CLAUDE.md": "I like tabs.\n",
    }
    for name, text in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def state_file(sandbox: Sandbox, config: Path) -> Path:
    """Claude Code's own state, which lies beside its folder."""
    file = config.parent / ".claude.json"
    file.write_text(STATE % ("0" * 64, sandbox.root), encoding="utf-8")
    return file


@pytest.fixture
def claude_on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The real Claude Code as `claude`, and no other."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "claude").symlink_to(program())
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{path_without_claude()}")
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    return folder / "claude"


@pytest.fixture
def no_claude(monkeypatch: pytest.MonkeyPatch) -> None:
    """No `claude` on PATH."""
    monkeypatch.setenv("PATH", path_without_claude())


@pytest.fixture
def kimi_mcp(
    sandbox: Sandbox,
    state_file: Path,
    kimi_main: Path,
    acquaintance: Acquaintance,
    monkeypatch: pytest.MonkeyPatch,
) -> Setup:
    """Return the function that runs `kimi-mcp` in the sandbox."""
    assert state_file.exists()
    monkeypatch.setenv("KIMI_MCP_KIMI", str(kimi_main))
    acquaintance.pass_on(StateFolder.locate())

    def run(
        *arguments: str, is_good: bool = True, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "kimi_mcp", *arguments],
            cwd=cwd or sandbox.root,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert not is_good or (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
        return done

    return run


def path_without_claude() -> str:
    folders = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(one for one in folders if not Path(one, "claude").exists())
