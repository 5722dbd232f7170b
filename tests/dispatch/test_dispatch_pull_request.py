"""Pull requests: a real bare remote is pushed to; `gh` is a stand-in that notes its arguments."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from dispatching import bench_of
from harvest import Harvest, Work, harvested
from kimi_mcp.dispatch.landing.land import LandWish, land
from kimi_mcp.errors import Refused
from kimi_mcp.history.landings import How
from kimi_mcp.history.records import Finding, FindingKind
from kimi_mcp.lifecycle import Outcome
from kimi_mcp.workspace.repository import locate
from kimi_mcp.workspace.snapshot import snapshot
from sandbox import Sandbox

ONE = Work(files={"one.py": "1\n"})
TWO = Work(files={"two.py": "2\n"}, is_checked=False)
FAILED = Work(files={"bad.py": "x\n"}, outcome=Outcome.CHECKS_FAILED)
ADDRESS = "https://host.invalid/team/project/pull/7"


@pytest.fixture
def remote(sandbox: Sandbox, tmp_path: Path) -> Sandbox:
    """A bare repository, the sandbox's `origin`, that has its main branch."""
    folder = tmp_path / "remote.git"
    folder.mkdir()
    bare = Sandbox(folder)
    bare.git("init", "-q", "--bare")
    sandbox.git("remote", "add", "origin", str(folder))
    sandbox.git("push", "-q", "--set-upstream", "origin", "main")
    return bare


@pytest.fixture
def no_gh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PATH with git and what hooks need, and without `gh`."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("git", "sh", "env", "git-lfs", "uname", "sed", "basename", "cat"):
        for place in os.environ["PATH"].split(":"):
            if Path(place, name).exists() and not (folder / name).exists():
                (folder / name).symlink_to(Path(place, name))
    monkeypatch.setenv("PATH", str(folder))


@pytest.fixture
def gh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `gh` that writes its arguments and input down and answers with an address."""
    folder = tmp_path / "gh-only"
    folder.mkdir()
    notes = tmp_path / "gh.json"
    program = folder / "gh"
    program.write_text(
        "#!/usr/bin/env python3\n"
        "import json, os, sys\n"
        f"json.dump({{'argv': sys.argv[1:], 'body': sys.stdin.read(), 'cwd': os.getcwd(),"
        f" 'prompt': os.environ.get('GH_PROMPT_DISABLED')}}, open({str(notes)!r}, 'w'))\n"
        "if os.environ.get('GH_REFUSES'):\n"
        "    sys.exit('authentication required for https://ada:s3cret@host.invalid')\n"
        f"print('Creating draft pull request\\n{ADDRESS}')\n",
        encoding="utf-8",
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return notes


def requested(harvest: Harvest, *, tasks: tuple[int, ...] | None = None) -> str:
    return land(harvest.bench, harvest.id, LandWish(how=How.PULL_REQUEST, tasks=tasks))


def test_a_draft_is_opened_with_goal_tasks_commands_and_steps(
    sandbox: Sandbox, remote: Sandbox, gh: Path
):
    harvest = harvested(sandbox, ONE, TWO, FAILED)

    text = requested(harvest)

    assert f"Draft: {ADDRESS}" in text
    assert remote.git("rev-parse", harvest.branch()) == harvest.merged
    noted = json.loads(gh.read_text(encoding="utf-8"))
    assert noted["argv"] == [
        *("pr", "create", "--draft", "--title", "Add login", "--body-file", "-"),
        *("--head", harvest.branch(), "--base", "main"),
    ]
    assert (noted["cwd"], noted["prompt"]) == (str(sandbox.root), "1")
    assert noted["body"] == (
        "People can log in.\n\n"
        "| Task | State | Files | Steps |\n|---|---|---|---|\n"
        "| 1. Part 1 | delivered | 1 (+1 -0) | 6 |\n"
        "| 2. Part 2 | delivered, UNCHECKED | 1 (+1 -0) | 6 |\n"
        "| 3. Part 3 | checks_failed | 1 (+1 -0) | 6 |\n\n"
        "Commands that kimi-mcp ran on exactly these commits:\n- `pytest -q`: passed\n\n"
        f"Written by Kimi in 12 steps. Kimi-Dispatch: {harvest.id}"
    )
    (landing,) = harvest.bench.history.landings(harvest.id)
    assert (landing.url, landing.target) == (ADDRESS, harvest.branch())
    assert sandbox.git("status", "--porcelain") == ""
    assert sandbox.git("branch", "--list", harvest.branch()) != ""


def test_what_weakens_the_commands_stands_in_the_draft(sandbox: Sandbox, remote: Sandbox, gh: Path):
    weak = Finding(kind=FindingKind.WEAKENED, path="tests/a.py", line=3, text="a skip was added")
    harvest = harvested(sandbox, replace(ONE, findings=(weak,)))

    requested(harvest)

    assert remote.git("rev-parse", harvest.branch()) == harvest.merged
    assert (
        "\n- weakened: tests/a.py line 3 a skip was added\n" in json.loads(gh.read_text())["body"]
    )


def test_what_looks_like_a_secret_is_not_pushed(sandbox: Sandbox, remote: Sandbox):
    secret = Finding(kind=FindingKind.SECRET, path="conf.py", line=1, text="an access key")
    harvest = harvested(sandbox, replace(ONE, findings=(secret,)))

    with pytest.raises(Refused, match=f"conf.py line 1.*git push origin .*{harvest.branch()}"):
        requested(harvest)

    assert remote.git("for-each-ref", "--format=%(refname)") == "refs/heads/main"


@pytest.mark.usefixtures("no_gh")
def test_without_gh_it_is_pushed_and_the_body_is_given(sandbox: Sandbox, remote: Sandbox):
    harvest = harvested(sandbox, ONE)

    text = requested(harvest)

    assert remote.git("rev-parse", harvest.branch()) == harvest.merged
    assert "No draft was opened: there is no `gh` on PATH." in text
    assert "| 1. Part 1 | delivered |" in text


@pytest.mark.usefixtures("gh")
def test_a_gh_that_says_no_is_quoted_without_secrets_and_the_push_stays(
    sandbox: Sandbox, remote: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("GH_REFUSES", "1")
    harvest = harvested(sandbox, ONE)

    text = requested(harvest)

    assert "authentication required" in text
    assert "s3cret" not in text
    assert remote.git("rev-parse", harvest.branch()) == harvest.merged


@pytest.mark.usefixtures("no_gh")
def test_one_task_is_pushed_as_its_own_branch_and_several_as_one(sandbox: Sandbox, remote: Sandbox):
    harvest = harvested(sandbox, ONE, TWO, Work(files={"three.py": "3\n"}))

    requested(harvest, tasks=(2,))
    requested(harvest, tasks=(1, 3))

    assert remote.git("rev-parse", harvest.branch(2)) == harvest.commits[2]
    several = f"kimi/{harvest.id}/tasks-1-3"
    assert remote.git("diff", "--name-only", "main", several).split() == ["one.py", "three.py"]
    assert "Test Person" in remote.git("log", "-1", "--format=%cn", several)


@pytest.mark.usefixtures("no_gh")
def test_a_base_that_is_no_branch_can_be_requested(sandbox: Sandbox, remote: Sandbox):
    sandbox.git("checkout", "-q", "--detach")
    harvest = harvested(sandbox, ONE)

    requested(harvest)

    assert remote.git("rev-parse", harvest.branch()) == harvest.merged


@pytest.mark.usefixtures("no_gh")
def test_nothing_is_forced_onto_what_the_remote_holds(sandbox: Sandbox, remote: Sandbox):
    harvest = harvested(sandbox, ONE)
    theirs = sandbox.git("commit-tree", "-p", "HEAD", "-m", "Theirs", "HEAD^{tree}")
    sandbox.git("push", "-q", "origin", f"{theirs}:refs/heads/{harvest.branch()}")

    with pytest.raises(Refused, match=r"holds something else.*nothing is ever forced.*--delete"):
        requested(harvest)

    assert remote.git("rev-parse", harvest.branch()) == theirs
    assert harvest.bench.history.landings(harvest.id) == ()


@pytest.mark.usefixtures("no_gh")
@pytest.mark.parametrize("where", ["pre-push", "pre-receive"])
def test_a_push_that_a_hook_or_the_server_refuses_is_told(
    sandbox: Sandbox, remote: Sandbox, where: str
):
    harvest = harvested(sandbox, ONE)
    hooks = sandbox.root / ".git/hooks" if where == "pre-push" else remote.root / "hooks"
    hooks.mkdir(exist_ok=True)
    (hooks / where).write_text("#!/bin/sh\necho 'protected by policy' >&2\nexit 1\n")
    (hooks / where).chmod(0o755)

    with pytest.raises(Refused, match=r"push to origin was refused.*protected by policy"):
        requested(harvest)

    assert remote.git("branch", "--list", "kimi/*") == ""


@pytest.mark.usefixtures("no_gh")
def test_commits_of_the_users_that_come_along_are_counted(sandbox: Sandbox, remote: Sandbox):
    sandbox.write("mine.py", "mine\n")
    sandbox.commit("Mine, not pushed")
    harvest = harvested(sandbox, ONE)

    text = requested(harvest)

    assert "brings 1 commits of yours along that origin lacked" in text
    assert remote.git("rev-list", "--count", f"main..{harvest.branch()}") == "2"


@pytest.mark.usefixtures("no_gh")
def test_a_snapshot_is_never_pushed(sandbox: Sandbox, remote: Sandbox):
    sandbox.write("secret.txt", "uncommitted\n")
    head = sandbox.git("rev-parse", "HEAD")
    base = snapshot(locate(sandbox.root))
    harvest = harvested(sandbox, ONE, base=base, snapshot_of=head)

    requested(harvest)

    assert remote.git("diff", "--name-only", "main", harvest.branch()) == "one.py"
    assert "secret.txt" not in remote.git("rev-list", "--objects", "--all")


@pytest.mark.usefixtures("gh")
def test_requesting_twice_pushes_nothing_new(sandbox: Sandbox, remote: Sandbox):
    harvest = harvested(sandbox, ONE)
    requested(harvest)
    before = remote.git("for-each-ref")

    again = requested(harvest)

    assert f"requested already: {ADDRESS}" in again
    assert remote.git("for-each-ref") == before


def test_a_draft_can_be_opened_later_for_what_was_only_pushed(
    sandbox: Sandbox, remote: Sandbox, gh: Path, monkeypatch: pytest.MonkeyPatch
):
    base = snapshot_with(sandbox, "app.py", "mine = 1\n")
    monkeypatch.setenv("GH_REFUSES", "1")
    harvest = harvested(sandbox, ONE, base=base, snapshot_of=sandbox.git("rev-parse", "HEAD"))
    requested(harvest)
    before = remote.git("for-each-ref")
    monkeypatch.delenv("GH_REFUSES")

    text = requested(replace(harvest, bench=bench_of(sandbox)))

    assert f"Draft: {ADDRESS}" in text
    assert gh.exists()
    assert remote.git("for-each-ref") == before


def snapshot_with(sandbox: Sandbox, path: str, text: str) -> str:
    sandbox.write(path, text)
    return snapshot(locate(sandbox.root))
