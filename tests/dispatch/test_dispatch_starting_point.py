"""From which commit a dispatch begins, and what becomes of uncommitted files of the user's."""

from pathlib import Path

import anyio
import pytest

from dispatching import SPEC_PATH, bench_of, branches, followed, pinned, spec_of, specify
from harvest import Work, harvested
from kimi_mcp.demo.script import edit, say, write
from kimi_mcp.dispatch.admission import LaunchWish, admit
from kimi_mcp.dispatch.landing.land import LandWish, land
from kimi_mcp.dispatch.launch import launch, preview
from kimi_mcp.dispatch.retake import RevisionWish, resume, revise
from kimi_mcp.errors import Refused
from kimi_mcp.history.landings import How
from kimi_mcp.lifecycle import Outcome, TaskState
from kimi_mcp.workspace.repository import locate
from kimi_mcp.workspace.snapshot import snapshot
from patience import PATIENCE_S
from sandbox import Sandbox, StartModel

GREET = """Greet
Files:
- MODIFY app.py
- READ docs/*.md
Verification:
- `grep -q day app.py`
"""
MINE = "import sys\n\ndef greet(name):\n    return 'Hello ' + name\n"


def state(sandbox: Sandbox) -> tuple[str, ...]:
    """Return all that a dispatch must not touch."""
    index = (sandbox.root / ".git/index").read_bytes()
    return (
        sandbox.git("status", "--porcelain"),
        sandbox.git("stash", "list"),
        sandbox.git("for-each-ref", "refs/heads/main"),
        index.hex(),
    )


@pytest.mark.parametrize("path", ["app.py", "docs/way.md"])
def test_files_that_the_spec_names_must_be_committed_unless_the_user_chose(
    sandbox: Sandbox, start_model: StartModel, path: str
):
    start_model({})
    specify(sandbox, spec_of(GREET))
    sandbox.write(path, MINE)
    sandbox.write("notes.txt", "mine\n")
    before = state(sandbox)

    with pytest.raises(Refused, match=rf'uncommitted changes: "{path}"\. .*base=HEAD .*WORKTREE'):
        launch(bench_of(sandbox), LaunchWish(spec="1"))

    assert "cannot start" in preview(bench_of(sandbox), LaunchWish(spec="1"))
    assert "can start" in preview(bench_of(sandbox), LaunchWish(spec="1", base="HEAD"))
    assert "can start" in preview(bench_of(sandbox), LaunchWish(spec="1", base="WORKTREE"))
    assert state(sandbox) == before
    assert [*branches(sandbox), *pinned(sandbox)] == []


def test_other_uncommitted_files_are_nobodys_business(sandbox: Sandbox, start_model: StartModel):
    start_model({})
    specify(sandbox, spec_of(GREET))
    sandbox.write("README.md", "# Mine\n")

    assert "can start" in preview(bench_of(sandbox), LaunchWish(spec="1"))


@pytest.mark.parametrize(
    ("base", "branch"),
    [(None, "main"), ("HEAD", "main"), ("other", "other"), ("v1", None), ("HEAD~0", None)],
)
def test_the_branch_to_land_on_is_the_one_that_the_base_names(
    sandbox: Sandbox, start_model: StartModel, base: str | None, branch: str | None
):
    start_model({})
    specify(sandbox, spec_of(GREET))
    sandbox.git("branch", "other")
    sandbox.git("tag", "v1")

    assert admit(bench_of(sandbox), LaunchWish(spec="1", base=base)).start.branch == branch


def test_a_snapshot_holds_what_is_uncommitted_and_touches_nothing(sandbox: Sandbox):
    sandbox.write(".gitignore", "*.log\n")
    sandbox.commit()
    sandbox.write("app.py", MINE)
    sandbox.git("add", "app.py")
    sandbox.write("app.py", MINE + "# more\n")
    sandbox.write("new.py", "new\n")
    sandbox.write("debug.log", "noise\n")
    (sandbox.root / "README.md").unlink()
    before = state(sandbox)

    made = snapshot(locate(sandbox.root))

    assert sandbox.git("ls-tree", "--name-only", made).split() == [".gitignore", "app.py", "new.py"]
    assert sandbox.show(made, "app.py").endswith("# more")
    assert sandbox.git("rev-parse", f"{made}^") == sandbox.git("rev-parse", "HEAD")
    assert state(sandbox) == before
    assert snapshot(locate(sandbox.root)) == made


def test_a_clean_checkout_is_its_own_snapshot(sandbox: Sandbox):
    assert snapshot(locate(sandbox.root)) == sandbox.git("rev-parse", "HEAD")


async def test_kimi_works_on_a_snapshot_and_only_its_changes_come_back(
    sandbox: Sandbox, start_model: StartModel
):
    start_model({"": (edit("app.py", "Hello", "Good day"), say("done"))})
    specify(sandbox, spec_of(GREET))
    sandbox.write("app.py", MINE)
    sandbox.write("notes.txt", "mine\n")
    bench = bench_of(sandbox)
    before = state(sandbox)

    with anyio.fail_after(PATIENCE_S):
        wish = LaunchWish(spec=SPEC_PATH, base="WORKTREE")
        launched = await anyio.to_thread.run_sync(launch, bench, wish)
        sandbox.git("gc", "--quiet", "--prune=now")  # in the middle of it
        done = await followed(bench, launched)

    assert "begins from a snapshot of your files" in done.text
    assert done.outcomes == {1: TaskState.DELIVERED}
    assert state(sandbox)[:3] == before[:3]
    text = land(bench, done.id, LandWish(how=How.APPLY))
    assert (sandbox.root / "app.py").read_text(encoding="utf-8") == MINE.replace(
        "Hello", "Good day"
    )
    assert (sandbox.root / "notes.txt").read_text(encoding="utf-8") == "mine\n"
    assert state(sandbox)[:2] == before[:2]
    kept = f"refs/kimi/{done.id}/yours-1"
    assert f"git show {kept}:PATH" in text
    assert sandbox.git("show", f"{kept}:app.py") == MINE.strip()
    assert sandbox.git("fsck", "--full", "--strict", "--no-dangling") == ""


def on_snapshot(sandbox: Sandbox, *works: Work):
    """Record a dispatch that began from the checkout as it is."""
    head = sandbox.git("rev-parse", "HEAD")
    return harvested(sandbox, *works, base=snapshot(locate(sandbox.root)), snapshot_of=head)


HIS = Work(files={"app.py": MINE.replace("Hello", "Good day"), "new.py": "new\n"})


@pytest.mark.parametrize("how", [How.SQUASH, How.MERGE])
def test_a_snapshot_never_enters_the_users_history(sandbox: Sandbox, how: How):
    sandbox.write("app.py", MINE)
    sandbox.write("secret.txt", "uncommitted\n")
    harvest = on_snapshot(sandbox, HIS)

    text = land(harvest.bench, harvest.id, LandWish(how=how))

    reachable = sandbox.git("rev-list", "--objects", "main")
    assert "secret.txt" not in reachable
    assert sandbox.git("rev-list", "--count", "main") == ("2" if how is How.SQUASH else "3")
    assert sandbox.show("main", "app.py") == "def greet(name):\n    return 'Good day ' + name"
    # the user's own change is still uncommitted, upon the landed one
    assert (sandbox.root / "app.py").read_text(encoding="utf-8") == HIS.files["app.py"]
    assert sandbox.git("status", "--porcelain") == "M app.py\n?? secret.txt"
    assert "your version before is kept" in text


def test_work_that_conflicts_with_later_uncommitted_changes_changes_nothing(sandbox: Sandbox):
    sandbox.write("app.py", MINE)
    harvest = on_snapshot(sandbox, HIS)
    sandbox.write("app.py", MINE.replace("Hello", "Servus"))
    before = [*state(sandbox), sandbox.git("for-each-ref")]

    for how in (How.APPLY, How.SQUASH, How.MERGE):
        with pytest.raises(Refused, match=r'uncommitted changes .*"app\.py"'):
            land(harvest.bench, harvest.id, LandWish(how=how))

    assert [*state(sandbox), sandbox.git("for-each-ref")] == before
    assert "Servus" in (sandbox.root / "app.py").read_text(encoding="utf-8")


def test_a_hook_that_refuses_leaves_no_kept_version_behind(sandbox: Sandbox):
    sandbox.write("app.py", MINE)
    harvest = on_snapshot(sandbox, HIS)
    hook = sandbox.write(".git/hooks/pre-commit", "#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    before = [*state(sandbox), sandbox.git("for-each-ref")]

    with pytest.raises(Refused, match="pre-commit hook refused"):
        land(harvest.bench, harvest.id, LandWish(how=How.SQUASH))

    assert [*state(sandbox), sandbox.git("for-each-ref")] == before
    assert (sandbox.root / "app.py").read_text(encoding="utf-8") == MINE


def test_work_that_rests_on_uncommitted_lines_is_not_committed_without_them(sandbox: Sandbox):
    sandbox.write("app.py", "def salute(name):\n    return 'Hello ' + name\n")
    harvest = on_snapshot(
        sandbox, Work(files={"app.py": "def salute(name, title):\n    return 'Hello ' + name\n"})
    )

    with pytest.raises(Refused, match="Nothing was changed"):
        land(harvest.bench, harvest.id, LandWish(how=How.SQUASH))
    sandbox.commit("Mine after all")
    land(harvest.bench, harvest.id, LandWish(how=How.SQUASH))

    assert sandbox.show("main", "app.py").startswith("def salute(name, title)")


def test_an_interrupted_dispatch_that_was_discarded_no_longer_stands_in_the_way(
    sandbox: Sandbox, start_model: StartModel
):
    start_model({})
    specify(sandbox, spec_of(GREET))
    text = Path(sandbox.root, SPEC_PATH).read_text(encoding="utf-8")
    half_done = Work(files={"app.py": MINE}, outcome=Outcome.STEP_LIMIT)
    harvest = harvested(sandbox, half_done, spec=text)
    assert "land_result how=discard" in preview(harvest.bench, LaunchWish(spec="1"))

    land(harvest.bench, harvest.id, LandWish(how=How.DISCARD))

    assert "can start" in preview(harvest.bench, LaunchWish(spec="1"))
    with pytest.raises(Refused, match="was discarded"):
        resume(harvest.bench, harvest.id)


def test_a_task_that_was_landed_is_not_revised(sandbox: Sandbox):
    harvest = harvested(sandbox, Work(files={"one.py": "1\n"}), Work(files={"two.py": "2\n"}))
    land(harvest.bench, harvest.id, LandWish(how=How.SQUASH, tasks=(1,)))

    with pytest.raises(Refused, match=r"Task 1 .* has left it \(squash\)"):
        revise(harvest.bench, harvest.id, RevisionWish(task=1, feedback="more"))


async def test_a_task_can_be_revised_after_others_were_landed(
    sandbox: Sandbox, start_model: StartModel
):
    start_model(
        {
            "# Your task (1)": [write("one.txt", "hello\n"), say("made it")],
            "# Your task (2)": [write("two.txt", "x\n"), say("made it too")],
            "[louder]": [write("two.txt", "hello!\n"), say("louder")],
        }
    )
    specify(
        sandbox,
        spec_of(
            "One\nFiles:\n- CREATE one.txt\nVerification:\n- `grep -q hello one.txt`\n",
            "Two\nFiles:\n- CREATE two.txt\nVerification:\n- `grep -q hello two.txt`\n",
        ),
    )
    bench = bench_of(sandbox)
    with anyio.fail_after(PATIENCE_S):
        launched = await anyio.to_thread.run_sync(launch, bench, LaunchWish(spec=SPEC_PATH))
        first = await followed(bench, launched)
    assert first.outcomes == {1: TaskState.DELIVERED, 2: Outcome.CHECKS_FAILED}
    land(bench, first.id, LandWish(how=How.SQUASH))
    assert branches(sandbox) == []

    with anyio.fail_after(PATIENCE_S):
        wish = RevisionWish(task=2, feedback="[louder] please")
        again = await anyio.to_thread.run_sync(revise, bench, first.id, wish)
        done = await followed(bench, again)

    assert done.outcomes == {1: TaskState.DELIVERED, 2: TaskState.DELIVERED}
    text = land(bench, done.id, LandWish(how=How.SQUASH))
    assert "landed on main" in text
    assert sandbox.show("main", "two.txt") == "hello!"
    assert sandbox.git("status", "--porcelain") == ""


def test_what_a_resume_needs_and_git_has_tidied_away_is_named(sandbox: Sandbox):
    stopped = Work(files={"two.py": "2\n"}, outcome=Outcome.STEP_LIMIT)
    harvest = harvested(sandbox, Work(files={"one.py": "1\n"}), stopped)
    land(harvest.bench, harvest.id, LandWish(how=How.SQUASH))
    sandbox.git("reflog", "expire", "--expire=now", "--all")
    sandbox.git("gc", "--quiet", "--prune=now")

    with pytest.raises(Refused, match=r"What task 1 .* delivered is no longer in the repository"):
        resume(harvest.bench, harvest.id)
