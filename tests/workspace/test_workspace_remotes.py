"""Where a pull request goes, and the addresses that people open one at."""

import pytest
from user_checkout import Checkout

from kimi_mcp.errors import Refused
from kimi_mcp.workspace.remotes import Remote, comparison_url, remote_for, without_credentials
from kimi_mcp.workspace.repository import locate


def add(checkout: Checkout, *names: str) -> None:
    for name in names:
        checkout.git("remote", "add", name, f"https://{name}.invalid/team/project.git")


def test_the_upstream_of_the_base_branch_comes_first(checkout: Checkout):
    add(checkout, "origin", "fork")
    checkout.git("config", "branch.main.remote", "fork")
    checkout.git("config", "branch.main.merge", "refs/heads/trunk")

    remote = remote_for(locate(checkout.root), "main")

    assert (remote.name, remote.base) == ("fork", "trunk")


def test_else_the_only_remote_then_origin(checkout: Checkout):
    add(checkout, "elsewhere")
    assert remote_for(locate(checkout.root), "main").name == "elsewhere"

    add(checkout, "origin")
    assert remote_for(locate(checkout.root), "main").name == "origin"
    assert remote_for(locate(checkout.root), None).base is None


def test_an_upstream_in_the_repository_itself_is_no_remote(checkout: Checkout):
    add(checkout, "elsewhere")
    checkout.git("config", "branch.main.remote", ".")
    checkout.git("config", "branch.main.merge", "refs/heads/other")

    remote = remote_for(locate(checkout.root), "main")

    assert (remote.name, remote.base) == ("elsewhere", "main")


def test_several_remotes_are_refused_with_the_choice(checkout: Checkout):
    add(checkout, "one", "two")

    with pytest.raises(Refused, match=r"one, two.*--set-upstream-to=REMOTE/BRANCH main"):
        remote_for(locate(checkout.root), "main")


def test_no_remote_is_refused_with_other_ways(checkout: Checkout):
    with pytest.raises(Refused, match=r"no remote.*how=apply"):
        remote_for(locate(checkout.root), "main")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://host.invalid/team/project.git", "https://host.invalid/team/project/compare/"),
        ("https://host.invalid/team/project", "https://host.invalid/team/project/compare/"),
        ("git@host.invalid:team/project.git", "https://host.invalid/team/project/compare/"),
        ("ssh://git@host.invalid:2222/team/project.git", "https://host.invalid/team/project/comp"),
        ("https://gitlab.invalid/team/sub/p.git", "https://gitlab.invalid/team/sub/p/-/merge_req"),
        ("git@bitbucket.invalid:team/p.git", "https://bitbucket.invalid/team/p/pull-requests/new"),
    ],
)
def test_a_person_is_given_the_address_of_the_comparison(url: str, address: str):
    remote = Remote(name="origin", url=url, base="main")

    assert str(comparison_url(remote, "kimi/x/merged")).startswith(address)
    assert "kimi/x/merged" in str(comparison_url(remote, "kimi/x/merged"))


@pytest.mark.parametrize("url", ["/srv/git/project.git", "file:///srv/git/project.git", "../up"])
def test_a_remote_on_the_disk_has_no_address(url: str):
    assert comparison_url(Remote(name="origin", url=url, base="main"), "b") is None


def test_passwords_in_addresses_are_never_shown(checkout: Checkout):
    checkout.git("remote", "add", "origin", "https://ada:s3cret@host.invalid/team/project.git")

    assert remote_for(locate(checkout.root), "main").url == "https://host.invalid/team/project.git"
    assert without_credentials("fatal: 'https://ada:s3cret@host.invalid/'") == (
        "fatal: 'https://host.invalid/'"
    )
