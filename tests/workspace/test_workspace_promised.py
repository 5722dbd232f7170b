"""A partial clone: what it lacks of the base is fetched before anything begins, no more."""

from pathlib import Path

import pytest
from user_checkout import Checkout, lay_task

from kimi_mcp.errors import Refused
from kimi_mcp.workspace.promised import fetch_promised
from kimi_mcp.workspace.repository import locate


@pytest.fixture
def partial(checkout: Checkout, tmp_path: Path) -> Checkout:
    """A partial clone whose second commit alone has been checked out."""
    checkout.write("src/app.py", "rewritten\n")
    checkout.write("README.md", "# Rewritten\n")
    checkout.commit("Second")
    checkout.git("config", "uploadpack.allowFilter", "true")
    checkout.git("config", "uploadpack.allowAnySHA1InWant", "true")
    checkout.git(
        "clone", "-q", "--filter=blob:none", f"file://{checkout.root}", str(tmp_path / "p")
    )
    return Checkout(tmp_path / "p")


def missing(checkout: Checkout) -> set[str]:
    """Name what is not here of the whole history; asks no remote for it."""
    lines = checkout.git("rev-list", "--objects", "--all", "--missing=print").splitlines()
    return {line.removeprefix("?") for line in lines if line.startswith("?")}


def test_an_older_base_of_a_partial_clone_can_be_worked_on(
    partial: Checkout, tmp_path: Path
) -> None:
    base = partial.git("rev-parse", "HEAD~1")
    assert missing(partial) != set()

    fetch_promised(locate(partial.root), base)

    assert missing(partial) == set()
    partial.git("remote", "remove", "origin")
    task = lay_task(partial.root, tmp_path / "run", base=base)
    assert (task.clone / "src/app.py").read_text() == "one\ntwo\nthree\n"
    assert partial.git("status", "--porcelain") == ""
    partial.git("fsck", "--full", "--strict")


def test_what_lies_outside_the_sparse_patterns_is_not_fetched(partial: Checkout) -> None:
    base = partial.git("rev-parse", "HEAD~1")
    outside = partial.git("rev-parse", "HEAD~1:src/app.py")
    partial.git("sparse-checkout", "set", "--no-cone", "/README.md")

    fetch_promised(locate(partial.root), base)

    assert missing(partial) == {outside}


def test_a_remote_that_is_gone_is_told_of_and_nothing_was_started(
    partial: Checkout, checkout: Checkout
) -> None:
    base = partial.git("rev-parse", "HEAD~1")
    checkout.root.rename(checkout.root.with_name("moved"))

    with pytest.raises(
        Refused, match=r"partial clone, .* could not be fetched from origin\. Nothing"
    ):
        fetch_promised(locate(partial.root), base)


def test_nothing_is_asked_of_a_remote_when_everything_is_here(
    partial: Checkout, checkout: Checkout
) -> None:
    checkout.root.rename(checkout.root.with_name("moved"))

    fetch_promised(locate(partial.root), partial.git("rev-parse", "HEAD"))


def test_a_clone_without_trees_is_completed_too(checkout: Checkout, tmp_path: Path) -> None:
    checkout.write("src/app.py", "rewritten\n")
    checkout.commit("Second")
    checkout.git("config", "uploadpack.allowFilter", "true")
    checkout.git("config", "uploadpack.allowAnySHA1InWant", "true")
    checkout.git("clone", "-q", "--filter=tree:0", f"file://{checkout.root}", str(tmp_path / "t"))
    treeless = Checkout(tmp_path / "t")
    base = treeless.git("rev-parse", "HEAD~1")
    assert missing(treeless) != set()

    fetch_promised(locate(treeless.root), base)

    assert missing(treeless) == set()
