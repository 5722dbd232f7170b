"""What a dispatch says of its fence, and how its programs live within it."""

import os
from pathlib import Path

import pytest

from dispatching import bench_of, branches, carried_out, configure, spec_of, specify
from kimi_mcp.demo.script import bash, say, write
from kimi_mcp.dispatch.launch import LaunchWish, preview
from kimi_mcp.lifecycle import Outcome, TaskState
from kimi_mcp.review.view import View
from sandbox import Sandbox, StartModel

TASK = "# Your task (1)"
ONE = write("one.py", "ONE = 1\n")


def checked_by(*commands: str) -> str:
    listed = "".join(f"- `{command}`\n" for command in commands)
    return spec_of(f"One\nFiles:\n- CREATE one.py\nVerification:\n{listed}")


def in_home(path: str) -> Path:
    """Put a file into the user's home."""
    file = Path(os.environ["HOME"], path)
    file.parent.mkdir()
    file.write_text("<settings/>\n", encoding="utf-8")
    return file


async def test_a_whole_fence_is_not_worth_a_word_and_a_missing_one_is_said_in_the_result(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    start_model({TASK: (ONE, say("done"))})
    fenced = await carried_out(sandbox, checked_by("true"))
    configure('fence = "off"')
    sandbox.write("specs/001-work.md", checked_by("true", "true"))
    unfenced = await carried_out(sandbox, checked_by("true", "true"))

    assert fenced.outcomes == unfenced.outcomes == {1: TaskState.DELIVERED}
    assert "fence" not in fenced.view(View.SUMMARY).lower()
    assert "No fence: it is off in kimi-mcp.toml." in unfenced.view(View.SUMMARY)


async def test_a_read_that_the_fence_refused_is_told_with_the_setting_that_allows_it(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    start_model({TASK: (ONE, say("done"))})
    listed = in_home(".m2/settings.xml")
    spec = checked_by(f"cat {listed}")

    refused = await carried_out(sandbox, spec)
    configure('allow_read = ["~/.m2"]')
    allowed = await carried_out(sandbox, spec.replace("cat ", "cat ~/.m2/settings.xml "))

    assert refused.outcomes == {1: Outcome.CHECKS_FAILED}
    sentence = str(refused.task(1).task.sentence)
    assert "The fence refused ~/.m2/settings.xml" in sentence
    assert "allow_read" in sentence
    assert allowed.outcomes == {1: TaskState.DELIVERED}


async def test_what_the_fence_refused_kimi_is_noted_once_with_the_setting(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    listed = in_home(".m2/settings.xml")
    looks = bash(f"cat {listed}; cat app.py; cat {listed}")
    start_model({TASK: (looks, ONE, say("done"))})

    done = await carried_out(sandbox, checked_by("true"))

    assert done.outcomes == {1: TaskState.DELIVERED}
    (note,) = done.notes(1)
    assert note.startswith("While Kimi worked: The fence refused ~/.m2/settings.xml; if the work")
    assert "allow_read" in note


async def test_a_check_without_network_is_told_how_to_get_it(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    start_model({TASK: (ONE, say("done"))})
    lookup = "python3 -c 'import socket; socket.getaddrinfo(\"host.invalid\", 1)'"

    done = await carried_out(sandbox, checked_by(lookup))

    assert done.outcomes == {1: Outcome.CHECKS_FAILED}
    assert 'check_network = "open"' in str(done.task(1).task.sentence)


async def test_no_check_comes_across_what_kimi_left_in_its_home_or_caches(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    start_model(
        {
            TASK: (
                bash('echo "exit 0" > ~/.profile; echo "$GOCACHE" > one.py; test -e ~/.profile'),
                say("done"),
            )
        }
    )

    done = await carried_out(
        sandbox, checked_by("test ! -e ~/.profile", 'test "$GOCACHE" != "$(cat one.py)"')
    )

    assert done.outcomes == {1: TaskState.DELIVERED}, done.view(View.CHECKS)


async def test_what_setup_puts_into_the_home_is_there_for_kimi_and_for_the_checks(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    configure('setup = ["mkdir -p ~/.tool && echo ready > ~/.tool/state"]')
    start_model({TASK: (bash("cp ~/.tool/state one.py; echo changed > ~/.tool/state"), say("ok"))})

    done = await carried_out(sandbox, checked_by("grep ready one.py", "grep ready ~/.tool/state"))

    assert done.outcomes == {1: TaskState.DELIVERED}
    assert ".tool" not in os.listdir(os.environ["HOME"])  # noqa: PTH208


@pytest.mark.parametrize("level", ["required", "auto"])
def test_a_fence_that_is_required_and_missing_stands_in_the_way(
    sandbox: Sandbox, start_model: StartModel, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    start_model({TASK: (ONE, say("done"))})
    configure(f'fence = "{level}"')
    specify(sandbox, checked_by("true"))
    monkeypatch.setattr("sys.executable", "/nonexistent/python")

    text = preview(bench_of(sandbox), LaunchWish(spec="1"))

    assert ('in the way: fence = "required", and there is none here' in text) == (
        level == "required"
    )
    assert branches(sandbox) == []
