"""What Claude is told when a plan was approved, by the hook as a process of its own."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kimi_mcp.demo.script import Reply, say, write
from kimi_mcp.spec.worth import size_of
from patience import PATIENCE_S
from sandbox import Sandbox, StartModel
from tokens import tokens

ROOT = Path(__file__).parents[2]
Approve = Callable[..., dict[str, Any] | None]

BIG_PLAN = """\
# Plan: three greetings

## Task 1: A formal greeting
- Create `formal.py` with `greet_formally(name)`.
- Create `test_formal.py`

## Task 2: A casual greeting
- Create `casual.py`
"""
SMALL_PLAN = """\
# Plan: one greeting

## Task 1: A formal greeting
- Create `formal.py`
- Create `test_formal.py`
"""


@pytest.fixture(name="kimi")
def a_kimi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Kimi that is there; the hook never starts it."""
    program = tmp_path / "kimi"
    program.write_text('#!/bin/sh\ntouch "$0.was-started"\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("KIMI_MCP_KIMI", str(program))
    return program


@pytest.fixture
def approve(sandbox: Sandbox, tmp_path: Path) -> Approve:
    """Return the function that approves a plan and gives the hook's answer, None for silence."""

    def run(plan: str, **changes: Any) -> dict[str, Any] | None:
        file = tmp_path / "plans" / "quiet-river.md"
        file.parent.mkdir(exist_ok=True)
        file.write_text(plan, encoding="utf-8")
        event = {
            "session_id": "4f3c",
            "transcript_path": str(tmp_path / "transcript.jsonl"),
            "cwd": str(sandbox.root),
            "hook_event_name": "PostToolUse",
            "tool_name": "ExitPlanMode",
            "tool_input": {},
            "tool_response": {"plan": plan, "filePath": str(file), "isAgent": False},
        }
        done = hook(json.dumps(event | changes))
        return json.loads(done.stdout) if done.stdout else None

    return run


def hook(event: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "kimi_mcp", "hook", "plan-approved"],
        input=event,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done


def offered(said: dict[str, Any] | None) -> str:
    assert said is not None
    assert said["hookSpecificOutput"]["hookEventName"] == "PostToolUse"
    return said["hookSpecificOutput"]["additionalContext"]


def test_a_plan_worth_delegating_is_offered_in_a_few_lines(approve: Approve, kimi: Path) -> None:
    told = offered(approve(BIG_PLAN))

    assert told.startswith("kimi-mcp: the approved plan (2 tasks, 3 files) suits Kimi.\n")
    assert "AskUserQuestion" in told
    assert told.index('"Delegate to Kimi (Recommended)"') < told.index('"Claude implements"')
    assert "about 9 to 15 Kimi steps" in told
    assert 'plan_path="' in told
    assert "quiet-river.md" in told
    assert len(told.splitlines()) <= 6
    assert tokens(told) <= 200
    assert not kimi.with_name("kimi.was-started").exists()


@pytest.mark.usefixtures("kimi")
def test_the_plan_is_read_from_its_file_and_else_from_the_event(
    approve: Approve, tmp_path: Path
) -> None:
    edited = tmp_path / "edited.md"
    edited.write_text(BIG_PLAN, encoding="utf-8")

    as_edited = {"plan": SMALL_PLAN, "filePath": str(edited)}
    gone = {"plan": BIG_PLAN, "filePath": str(tmp_path / "gone.md")}

    assert "3 files" in offered(approve(SMALL_PLAN, tool_response=as_edited))
    assert "3 files" in offered(approve(SMALL_PLAN, tool_response=gone))


@pytest.mark.usefixtures("kimi")
@pytest.mark.parametrize(
    "plan", [SMALL_PLAN, "# Notes\n\nWe looked around and all is well.\n", "", "\0\n# Task 1"]
)
def test_a_plan_not_worth_delegating_produces_no_offer(approve: Approve, plan: str) -> None:
    assert approve(plan) is None


@pytest.mark.usefixtures("kimi")
@pytest.mark.parametrize(
    "changes",
    [
        {"tool_name": "Write"},
        {"tool_response": {"plan": BIG_PLAN, "filePath": "/x.md", "isAgent": True}},
        {"tool_response": "approved"},
        {"tool_response": None},
        {"cwd": "/"},
    ],
)
def test_what_is_no_approval_in_a_repository_produces_silence(
    approve: Approve, changes: dict[str, Any]
) -> None:
    assert approve(BIG_PLAN, **changes) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000])
def test_what_is_no_event_produces_silence_and_no_error(text: str) -> None:
    assert hook(text).stdout == ""


def test_a_missing_kimi_is_one_line_to_the_user_once_a_session(
    approve: Approve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIMI_MCP_KIMI", str(tmp_path / "no-kimi"))

    first = approve(BIG_PLAN)
    assert first is not None
    assert list(first) == ["systemMessage"]
    line = first["systemMessage"]
    assert "\n" not in line
    assert str(tmp_path / "no-kimi") in line
    assert "there is none to use" in line

    (tmp_path / "transcript.jsonl").write_text(
        json.dumps({"type": "attachment", "content": line}) + "\n", encoding="utf-8"
    )
    assert approve(BIG_PLAN) is None


@pytest.mark.usefixtures("kimi")
def test_the_hook_leaves_no_trace(approve: Approve, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "state")
    assert approve(BIG_PLAN) is not None  # the plan's file is there now
    before = contents(tmp_path)

    assert approve(BIG_PLAN) is not None
    assert approve(SMALL_PLAN + "\n") is None
    (tmp_path / "plans" / "quiet-river.md").write_text(BIG_PLAN, encoding="utf-8")

    assert contents(tmp_path) == before
    assert not (tmp_path / "state").exists()


SPEC = """\
# Spec: 001 -- One part

## Tasks
### Task 1: One
Files:
- CREATE one.py
Verification:
- `python3 one.py`
"""
GONE = {"error": {"message": "You've reached your usage limit for this billing cycle."}}


@pytest.mark.parametrize("is_gone", [False, True])
def test_what_was_spent_is_said_and_a_quota_that_is_gone_produces_silence(
    approve: Approve, sandbox: Sandbox, start_model: StartModel, tmp_path: Path, *, is_gone: bool
) -> None:
    sandbox.write("specs/001-one-part.md", SPEC)
    sandbox.commit()
    last = Reply(status=403, body=GONE) if is_gone else say("done")
    start_model({"# Your task (1)": (write("one.py", "print('one')\n"), last)})
    done = subprocess.run(
        [sys.executable, "-m", "kimi_mcp", "dispatch", "1"],
        cwd=sandbox.root,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (done.returncode, is_gone) in {(0, False), (1, True)}, done.stdout + done.stderr
    history = contents(tmp_path / "state")

    said = approve(BIG_PLAN)

    if is_gone:
        assert said is None
    else:
        assert re.search(r"Kimi steps; at least \d+ were spent in 7 days\.", offered(said))
    assert contents(tmp_path / "state") == history


def test_the_hook_loads_no_protocol_and_no_settings() -> None:
    code = "import sys, kimi_mcp.cli.hook; print(*sorted(m.split('.')[0] for m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )

    assert {"mcp", "pydantic", "git", "anyio", "structlog"} & set(done.stdout.split()) == set()


NONE: set[str] = set()


@pytest.mark.parametrize(
    ("tasks", "is_worth_it"),
    [
        ([], False),
        ([({"a.py", "b.py"}, "")], False),
        ([({"a.py", "b.py"}, ""), ({"b.py"}, "")], False),
        ([({"a.py", "b.py", "c.py"}, "")], True),
        ([({"a.py"}, ""), (NONE, ""), (NONE, "")], True),
        ([({"a.py"}, "line\n" * 100)], False),
        ([({"a.py"}, "line\n" * 101)], True),
    ],
)
def test_three_files_or_a_hundred_lines_are_worth_it(
    tasks: list[tuple[set[str], str]], *, is_worth_it: bool
) -> None:
    assert size_of(tasks).is_worth_it is is_worth_it


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }
