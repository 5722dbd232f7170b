"""The machine of a campaign: a repository in use, and a Kimi that does what it is told."""

import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from worlds import BASE

from sandbox import Sandbox

pytest.register_assert_rewrite("holding", "invariants", "recovering", "crash_faults")
FAULT, MET = "fault", "met"
FAKE = Path(__file__).with_name("fake_kimi.py")


@pytest.fixture
def world(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """A user's repository in use: uncommitted work, a stash, hooks that would leave a trace."""
    program = tmp_path / "kimi"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S "{FAKE}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("KIMI_MCP_KIMI", str(program))
    readable = [str(FAKE.parent), sys.prefix, sys.base_prefix, str(tmp_path / "kimi")]
    monkeypatch.setenv("KIMI_MCP_ALLOW_READ", json.dumps(readable))
    sandbox.git("lfs", "install", "--local")
    for path, text in BASE.items():
        sandbox.write(path, text)
    sandbox.commit("Base")
    sandbox.write("app.py", "stashed = 1\n")
    sandbox.git("stash")
    sandbox.write("README.md", "# Changed, not committed\n")
    sandbox.write("staged.py", "staged = 1\n")
    sandbox.git("add", "staged.py")
    sandbox.write("untracked.py", "untracked = 1\n")
    for name in ("pre-commit", "post-commit", "reference-transaction", "post-checkout"):
        hook = sandbox.root / ".git/hooks" / name
        hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/hook-ran-{name}\n", encoding="utf-8")
        hook.chmod(0o755)
    return sandbox


@pytest.fixture
def tell_fault(record_property: Callable[[str, object], None]) -> Callable[[str, Path], None]:
    """Note down for the table what was to go wrong, and whether it did: then the file is there."""

    def tell(fault: str, struck: Path) -> None:
        record_property(FAULT, str(fault))
        record_property(MET, struck.exists())

    return tell


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how often each fault was drawn, met its moment, and was survived."""
    drawn, met, survived = Counter[str](), Counter[str](), Counter[str]()
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            told = dict(report.user_properties)
            if report.when != "call" or FAULT not in told:
                continue
            fault = str(told[FAULT])
            drawn[fault] += 1
            met[fault] += bool(told[MET])
            survived[fault] += outcome == "passed"
    for fault in sorted(drawn):
        figures = f"{drawn[fault]:5} drawn {met[fault]:5} met {survived[fault]:5} passed"
        terminalreporter.write_line(f"{fault:32} {figures}")
