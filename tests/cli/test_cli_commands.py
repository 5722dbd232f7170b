"""What a person at a terminal sees, and what a script gets: words, streams and exit codes."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kimi_mcp.demo.script import Reply, say, write
from sandbox import Sandbox, StartModel

Run = Callable[..., subprocess.CompletedProcess[str]]

COMMANDS = (
    "serve",
    "demo",
    "doctor",
    "setup",
    "spec",
    "dispatch",
    "resume",
    "revise",
    "watch",
    "show",
    "land",
    "clean",
    "history",
    "stop",
    "profile",
    "quota",
    "hook",
    "trust",
    "completion",
)
PLAN = """\
# Plan: a second part

## Task 1: Two

**Files:**
- Create: `two.py`

`two.py` prints 2.

**Verification:**
- `python3 two.py`
"""


def test_help_names_every_command_with_a_sentence(kimi_mcp: Run) -> None:
    done = kimi_mcp("--help")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: kimi-mcp ")
    for command in COMMANDS:
        assert re.search(rf"^ +{command} +\w.*$", done.stdout, re.MULTILINE), command
        detail = kimi_mcp(command, "--help")
        assert (detail.returncode, detail.stderr) == (0, "")
        assert detail.stdout.startswith(f"usage: kimi-mcp {command}")


def test_the_loop_by_hand_plan_spec_dispatch_show(kimi_mcp: Run, one_task: Sandbox) -> None:
    dispatched = kimi_mcp("dispatch", "1")
    assert (dispatched.returncode, dispatched.stderr) == (0, "")
    dispatch = dispatched.stdout.split(":", 1)[0]
    lines = dispatched.stdout.splitlines()
    assert lines[0].startswith(f"{dispatch}: running, 1 task from {one_task.root} (main at ")
    assert any(line.startswith('  step 1 · task 1/1 · "Write one.py') for line in lines)
    assert any(line.startswith(f"{dispatch}: 1 of 1 delivered · 2 steps") for line in lines)
    assert one_task.show(f"kimi/{dispatch}/task-1", "one.py") == "print('one')"

    for view, expected in {
        "summary": "1 of 1 delivered",
        "diff": "+print('one')",
        "transcript": "Write one.py",
        "checks": '"python3 one.py" passed',
    }.items():
        shown = kimi_mcp("show", dispatch, "--view", view)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert expected in shown.stdout
    rest = kimi_mcp("show", dispatch, "--view", "transcript", "--from-step", "2")
    assert "Write one.py" not in rest.stdout
    assert "2. says: " in rest.stdout
    newest, named = (
        re.sub(r"data-\d+", "data", kimi_mcp("show", *words).stdout) for words in ((), (dispatch,))
    )
    assert newest == named  # but for the number of the envelope, which no reply shares

    listed = kimi_mcp("history")
    assert (listed.returncode, listed.stderr) == (0, "")
    assert f"| {dispatch} | finished | 1/1 | 2 |" in listed.stdout

    stopped = kimi_mcp("stop", dispatch)
    assert (stopped.returncode, stopped.stderr) == (0, "")
    assert stopped.stdout.startswith(f"{dispatch}: 1 of 1 delivered")
    assert stopped.stdout.endswith("Nothing of it was running.\n")


def test_a_plan_becomes_a_spec_that_a_dry_run_accepts(kimi_mcp: Run, one_task: Sandbox) -> None:
    plan = one_task.write("plan.md", PLAN)

    looked = kimi_mcp("spec", str(plan), "--dry-run")
    assert (looked.returncode, looked.stderr) == (0, "")
    assert "nothing written (dry run)" in looked.stdout
    written = kimi_mcp("spec", str(plan))
    assert (written.returncode, written.stderr) == (0, "")
    path = written.stdout.split(":", 1)[0]
    assert path.startswith("specs/002-")
    assert "CREATE two.py" in (one_task.root / path).read_text(encoding="utf-8")

    checked = kimi_mcp("dispatch", "2", "--dry-run")
    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout.startswith(f"{path} in {one_task.root}")
    assert "can start" in checked.stdout


def test_what_was_not_delivered_is_exit_code_1(kimi_mcp: Run, one_task: Sandbox) -> None:
    one_task.write(
        "specs/001-one-part.md",
        "# Spec: 001 -- One part\n\n## Tasks\n### Task 1: One\nFiles:\n- CREATE one.py\n"
        "Verification:\n- `false`\n",
    )

    done = kimi_mcp("dispatch", "1")

    assert (done.returncode, done.stderr) == (1, "")
    assert ": 0 of 1 delivered, 1 checks_failed" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["dance"], "invalid choice: 'dance'"),
        (["dispatch"], "SPEC"),
        (["dispatch", "7"], "kimi-mcp: "),
        (["dispatch", "1", "--tasks", "one"], "--tasks takes numbers like 1,3, not 'one'"),
        (["dispatch", "1", "--tasks", "9"], "9"),
        (["dispatch", "1", "--profile", "swram"], "Known profiles: moderato, swarm"),
        (["dispatch", "1", "--repo", "nowhere"], "There is no folder"),
        (["spec", "no-plan.md"], "no-plan.md"),
        (["show"], "Nothing was dispatched yet."),
        (["show", "k52ogolo4"], "is not a dispatch id"),
        (["show", "001-one-part-zzzz"], "No dispatch '001-one-part-zzzz'"),
        (["show", "--view", "diffs"], "'summary', 'diff', 'transcript', 'checks'"),
        (["history", "--before", "001-one-part-zzzz"], "No dispatch '001-one-part-zzzz'"),
        (["stop", "001-one-part-zzzz"], "No dispatch '001-one-part-zzzz'"),
    ],
)
def test_what_is_refused_is_exit_code_2_with_a_sentence_on_stderr(
    kimi_mcp: Run, one_task: Sandbox, arguments: list[str], expected: str
) -> None:
    done = kimi_mcp(*arguments)

    assert done.returncode == 2
    assert done.stdout == ""
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert one_task.git("for-each-ref", "refs/kimi", "refs/heads/kimi") == ""


@pytest.mark.parametrize("word", ["one", "001-one-part-zzzz"])
def test_where_nothing_is_near_nothing_is_called_the_nearest(kimi_mcp: Run, word: str) -> None:
    refused = kimi_mcp("show", word)

    assert refused.returncode == 2
    assert "earest" not in refused.stderr
    assert "none" not in refused.stderr


def test_an_empty_history_says_how_to_begin(kimi_mcp: Run) -> None:
    assert kimi_mcp("history").stdout == (
        "Nothing was dispatched yet. `kimi-mcp spec PLAN` makes a spec, `kimi-mcp dispatch SPEC` "
        "runs it. `kimi-mcp demo` shows all of it without an account.\n"
    )


def test_outside_a_repository_a_dispatch_is_refused_with_what_to_do(
    kimi_mcp: Run, one_task: Sandbox, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()

    done = kimi_mcp("dispatch", "1", cwd=outside)
    named = kimi_mcp("dispatch", "1", "--dry-run", "--repo", str(one_task.root), cwd=outside)

    assert (done.returncode, done.stdout) == (2, "")
    assert str(outside) in done.stderr
    assert named.returncode == 0


def test_doctor_names_each_link_and_what_is_broken(
    kimi_mcp: Run, one_task: Sandbox, tmp_path: Path
) -> None:
    assert one_task.root.exists()
    good = kimi_mcp("doctor")
    (tmp_path / "kimi-home" / "config.toml").unlink()
    bad = kimi_mcp("doctor")

    assert (good.returncode, good.stderr) == (0, "")
    for link in ("kimi-mcp", "settings", "state folder", "git", "Kimi", "Kimi's config"):
        assert re.search(rf"^ok   {link} ", good.stdout, re.MULTILINE), good.stdout
    assert (bad.returncode, bad.stderr) == (1, "")
    assert re.search(r"^BAD  Kimi's login .*\n.*kimi login", bad.stdout, re.MULTILINE), bad.stdout


def test_what_was_interrupted_is_resumed_and_then_revised(
    kimi_mcp: Run, one_task: Sandbox, start_model: StartModel
) -> None:
    gone = {"error": {"message": "You've reached your usage limit for this billing cycle."}}
    start_model(
        {
            "# Your task (1)": (write("one.py", "print('on')\n"), Reply(status=403, body=gone)),
            "was interrupted": (say("finished"),),
            "[louder]": (write("one.py", "print('ONE')\n"), say("louder")),
        }
    )
    stopped = kimi_mcp("dispatch", "1")
    dispatch = stopped.stdout.split(":", 1)[0]
    assert stopped.returncode == 1
    again = kimi_mcp("dispatch", "1")
    assert again.returncode == 2
    assert f"Resume it: `kimi-mcp dispatch {dispatch}`" in again.stderr

    resumed = kimi_mcp("resume", dispatch)
    assert (resumed.returncode, resumed.stderr) == (0, "")
    assert f"{dispatch}: 1 of 1 delivered" in resumed.stdout

    revised = kimi_mcp("revise", dispatch, "1", "--feedback", "[louder]")
    assert (revised.returncode, revised.stderr) == (0, "")
    assert one_task.show(f"kimi/{dispatch}/task-1", "one.py") == "print('ONE')"

    judged = kimi_mcp("revise", dispatch, "1", "--check", "false")
    assert judged.returncode == 1
    assert "Attempt 4 was not delivered (checks_failed)" in judged.stdout
    assert one_task.show(f"kimi/{dispatch}/task-1", "one.py") == "print('ONE')"


def test_spec_json_tells_tasks_and_findings_and_writes_only_when_told(
    kimi_mcp: Run, sandbox: Sandbox
) -> None:
    (sandbox.root / "plan.md").write_text(PLAN, encoding="utf-8")

    done = kimi_mcp("spec", "plan.md", "--json")
    told = json.loads(done.stdout)
    (task,) = told["tasks"]

    assert (done.returncode, done.stderr) == (0, "")
    assert not (sandbox.root / "specs").exists()
    assert (task["number"], task["title"], task["line"]) == (1, "Two", 3)
    assert task["files"] == [
        {"operation": "CREATE", "path": "two.py", "target": None, "lines": None}
    ]
    assert task["verification"] == ["python3 two.py"]
    assert (task["depends_on"], task["independent"], task["done"]) == ([], True, False)
    assert told["findings"] == []

    written = json.loads(kimi_mcp("spec", "plan.md", "--json", "--write").stdout)
    assert (sandbox.root / written["spec"]).read_text(encoding="utf-8").count("### Task") == 1


def test_spec_json_shows_done_work_and_writes_no_spec_of_it(
    kimi_mcp: Run, sandbox: Sandbox
) -> None:
    (sandbox.root / "plan.md").write_text(PLAN.replace(": Two", ": Two ✅"), encoding="utf-8")

    told = json.loads(kimi_mcp("spec", "plan.md", "--json").stdout)
    refused = kimi_mcp("spec", "plan.md")

    assert [task["done"] for task in told["tasks"]] == [True]
    assert "ticked as done" in told["refused"]
    assert refused.returncode == 2
    assert "ticked as done" in refused.stderr
    assert not (sandbox.root / "specs").exists()


def test_spec_json_says_why_a_text_is_refused(kimi_mcp: Run, sandbox: Sandbox) -> None:
    (sandbox.root / "plan.md").write_text("# Code review\n\nAll is well.\n", encoding="utf-8")

    done = kimi_mcp("spec", "plan.md", "--json")
    told = json.loads(done.stdout)

    assert (done.returncode, told["tasks"], told["spec"]) == (2, [], None)
    assert "reports" in told["refused"]
