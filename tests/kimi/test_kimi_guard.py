"""What the guard in Kimi's own home refuses, in its words, and that ordinary work passes."""

import json
import subprocess
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatching import carried_out, spec_of
from kimi_mcp.demo.script import bash, edit, say, write
from kimi_mcp.kimi.dialects import DIALECTS
from kimi_mcp.kimi.guard import HINTS, complaint, published_by, simple_commands
from kimi_mcp.kimi.guarding import hooks
from kimi_mcp.lifecycle import TaskState
from kimi_mcp.review.view import View
from patience import PATIENCE_S
from sandbox import Sandbox, StartModel

CLONE = "/run/clone"
PUBLISHING = (
    ("git push", "git push"),
    ("git -C /somewhere push origin HEAD", "git push"),
    ("git -c a.b=c --no-pager push", "git push"),
    ("git add -A && git commit -m 'all of it' && git push -u origin main", "git push"),
    ("git remote add origin https://host.invalid/x; git fetch", "git remote add"),
    ("GIT_SSH_COMMAND='ssh -v' git push", "git push"),
    ("/usr/bin/git push", "git push"),
    ("sh -c 'git push'", "git push"),
    ("bash -lc \"cd x && sh -c 'git push'\"", "git push"),
    ('eval "git push"', "git push"),
    ("(cd sub; git push)", "git push"),
    ("{ git push; }", "git push"),
    ("if true; then git push; fi", "git push"),
    ("echo `git push`", "git push"),
    ("x=$(git push 2>&1)", "git push"),
    ("git \\\n  push", "git push"),
    ("git status || timeout 5 git push", "git push"),
    ("env -u A B=c nohup git push", "git push"),
    ("echo main | xargs -n 1 git push origin", "git push"),
    ("'git' \"push\"", "git push"),
    ("true # well\ngit push", "git push"),
    ("sudo -u me git push", "git push"),
    ("npm publish --access public", "npm publish"),
    ("npm --prefix web publish", "npm publish"),
    ("pnpm -C web publish", "pnpm publish"),
    ("yarn npm publish", "yarn npm publish"),
    ("python3 -m twine upload dist/*", "twine upload"),
    ("python setup.py sdist && twine upload dist/*", "twine upload"),
    ("uv publish", "uv publish"),
    ("uv run twine upload dist/*", "twine upload"),
    ("poetry -C lib publish --build", "poetry publish"),
    ("cargo publish", "cargo publish"),
    ("gem push x.gem", "gem push"),
    ("docker push host.invalid/x", "docker push"),
    ("docker --context c image push x", "docker image push"),
    ("gh pr create --fill", "gh pr create"),
    ("gh -R a/b release create v1", "gh release create"),
    ("npx lerna publish", "lerna publish"),
)
ORDINARY = (
    "git status && git log --oneline",
    "git stash push -m work",
    "git commit -m 'Say how to git push'",
    "git remote -v",
    "git add push.py",
    "grep -rn 'git push' docs",
    "echo git push",
    "# git push\nls",
    "cat > notes.md <<'EOF'\nThen run\ngit push\nEOF\nls",
    "npm run publish-docs",
    "npm test -- --grep publish",
    "python -m pytest tests/test_push.py",
    "python release.py upload",
    "cargo build --release",
    "docker build -t x .",
    "gh pr view 3",
    "make push",
    "'unfinished",
)


def asked(tool: str, **arguments: object) -> str:
    """Write what Kimi Code 2.1.0 gives a hook on standard input."""
    return json.dumps(
        {
            "hook_event_name": "PreToolUse",
            "session_id": "s",
            "cwd": CLONE,
            "tool_name": tool,
            "tool_input": arguments,
        },
        separators=(",", ":"),
    )


def answered(call: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run the hook's command as Kimi does."""
    (hook,) = hooks(DIALECTS["code"], writable=(CLONE, "/run/tmp"), **changes)
    return subprocess.run(
        ["/bin/sh", "-c", str(hook["command"])],
        input=call,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


@pytest.mark.parametrize(("command", "way"), PUBLISHING)
def test_what_publishes_is_named(command: str, way: str) -> None:
    assert published_by(command) == way
    assert any(hint in command for hint in HINTS)  # else the hook would not look at it


@pytest.mark.parametrize("command", ORDINARY)
def test_what_does_not_publish_passes(command: str) -> None:
    assert published_by(command) is None


@given(st.text())
def test_no_text_is_too_odd_to_be_split(command: str) -> None:
    assert all(words for words in simple_commands(command))
    published_by(command)


@given(st.lists(st.text(alphabet="abc '\"$;\\&|", min_size=1), min_size=1))
def test_quoted_words_come_out_as_they_went_in(words: list[str]) -> None:
    quoted = " ".join("'" + word.replace("'", "'\"'\"'") + "'" for word in words)

    assert list(simple_commands(quoted)) == [tuple(words)]


@pytest.mark.parametrize(
    ("path", "is_refused"),
    [
        ("src/a.py", False),
        ("./a/../b.py", False),
        (f"{CLONE}/a.py", False),
        ("/run/tmp/x", False),
        ("/run/clone-of-another/a.py", True),
        ("../other/a.py", True),
        ("a/../../b.py", True),
        ("/etc/hosts", True),
        ("~/.bashrc", True),
    ],
)
def test_files_are_written_in_the_clone_and_in_what_is_temporary(
    path: str, *, is_refused: bool
) -> None:
    refusal = complaint(json.loads(asked("Write", path=path)), writable=(CLONE, "/run/tmp"))
    done = answered(asked("Write", path=path, content='{"path":"x"} push'))

    assert (refusal is not None) == is_refused
    assert done.returncode == (2 if is_refused else 0)
    assert done.stderr.strip() == (refusal or "")
    if refusal:
        assert path in refusal
        assert CLONE in refusal
        assert "BLOCKED" in refusal


def test_the_hook_refuses_with_words_and_lets_the_rest_pass() -> None:
    refused = answered(asked("Bash", command="make && git push"))
    passed = [
        answered(asked("Bash", command="make")),
        answered(asked("Bash", command="echo push")),
    ]

    assert refused.returncode == 2
    assert refused.stderr == (
        "`git push` is refused. This runs on a private clone; kimi-mcp publishes after its "
        "checks. Go on without it.\n"
    )
    assert [(done.returncode, done.stderr) for done in passed] == [(0, ""), (0, "")]


@pytest.mark.parametrize(
    "call", ["", "no JSON, git push", "[]push", '{"tool_input": 3, "p":"push"}']
)
def test_a_call_that_the_guard_does_not_understand_passes(call: str) -> None:
    assert answered(call).returncode == 0


@pytest.mark.parametrize("python", ["/nonexistent/python", "/bin/false"])
def test_a_guard_that_is_broken_stands_in_nobodys_way(python: str) -> None:
    assert answered(asked("Bash", command="git push"), python=python).returncode == 0


def test_a_guard_whose_script_is_gone_stands_in_nobodys_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kimi_mcp.kimi.guarding.SCRIPT", tmp_path / "gone.py")

    assert answered(asked("Bash", command="git push")).returncode == 0


@pytest.mark.parametrize("fence", ["auto", "off"])
async def test_the_real_kimi_is_told_and_goes_on(
    sandbox: Sandbox,
    start_model: StartModel,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    fence: str,
) -> None:
    monkeypatch.setenv("KIMI_MCP_FENCE", fence)
    outside = tmp_path / "outside.py"
    model = start_model(
        {
            "# Your task (1)": (
                bash("git push origin HEAD"),
                write(str(outside), "X = 1\n"),
                write("one.py", "ONE = 1\n"),
                edit("one.py", "1", "2"),
                bash("echo THREE >> one.py # ordinary"),
                say("done"),
            )
        }
    )

    done = await carried_out(
        sandbox,
        spec_of(
            "One\nFiles:\n- CREATE one.py\nVerification:\n"
            "- `grep 'ONE = 2' one.py`\n- `grep THREE one.py`\n"
        ),
    )

    assert done.outcomes == {1: TaskState.DELIVERED}, done.view(View.TRANSCRIPT, 1)
    messages = cast("list[dict[str, object]]", model.requests[-1].body["messages"])
    results = [str(message["content"]) for message in messages if message["role"] == "tool"]
    assert "`git push` is refused. This runs on a private clone" in results[0]
    assert f"{outside} lies outside of this clone" in results[1]
    assert not outside.exists()
    assert not any("refused" in result for result in results[2:])
