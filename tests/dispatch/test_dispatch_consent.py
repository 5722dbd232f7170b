"""Which landing needs a person's word, and in which words it is asked for."""

from pathlib import Path

import pytest

from harvest import Work, harvested
from kimi_mcp.dispatch.landing.consent import question
from kimi_mcp.history.landings import How
from sandbox import Sandbox

ONE = Work(files={"one.py": "1\n"})


@pytest.fixture
def cloned(sandbox: Sandbox, tmp_path: Path) -> Sandbox:
    """A clone of the sandbox, whose main is the default branch there."""
    sandbox.git("branch", "-M", "main")
    sandbox.git("clone", "-q", str(sandbox.root), str(tmp_path / "cloned"))
    return Sandbox(tmp_path / "cloned")


def test_a_commit_onto_the_default_branch_of_a_remote_is_asked_for(cloned: Sandbox) -> None:
    harvest = harvested(cloned, ONE)

    asked = question(harvest.bench, harvest.id, How.SQUASH)

    assert asked is not None
    assert asked.startswith(f"Commit {harvest.id} onto main, the default branch of origin?")
    assert question(harvest.bench, harvest.id, How.MERGE) == asked
    assert question(harvest.bench, harvest.id, How.APPLY) is None


def test_a_commit_onto_a_branch_of_ones_own_is_not(cloned: Sandbox, sandbox: Sandbox) -> None:
    cloned.git("switch", "-q", "-c", "feature/main")
    of_a_clone = harvested(cloned, ONE)
    without_remote = harvested(sandbox, ONE, token="aaaa")

    for harvest in (of_a_clone, without_remote):
        assert question(harvest.bench, harvest.id, How.SQUASH) is None


def test_what_leaves_the_machine_or_is_removed_is_always_asked_for(sandbox: Sandbox) -> None:
    harvest = harvested(sandbox, ONE)

    for how, word in ((How.DISCARD, "Discard"), (How.PULL_REQUEST, "Push")):
        assert str(question(harvest.bench, harvest.id, how)).startswith(word)
