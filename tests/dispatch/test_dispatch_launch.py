"""What is refused before anything exists, and what a launch says, with the real CLI behind it."""

import threading

import anyio
import pytest

from dispatching import SPEC_PATH, bench_of, branches, followed, pinned, spec_of
from kimi_mcp.demo.script import Reply, edit, say
from kimi_mcp.dispatch.launch import LaunchWish, launch, preview
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.errors import Refused
from kimi_mcp.lifecycle import DispatchState, TaskState
from patience import PATIENCE_S
from sandbox import Sandbox, StartModel

ONE = spec_of("One\nFiles:\n- MODIFY app.py\nVerification:\n- `true`")


def nothing_exists(sandbox: Sandbox, bench: Workbench) -> bool:
    """Whether a refused call has left neither rows nor refs nor folders."""
    rows = bench.history.recent(limit=9)
    return not (
        rows or pinned(sandbox) or branches(sandbox) or list(bench.state.root.glob("runs/*"))
    )


def test_a_spec_with_errors_is_refused_before_anything_exists(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    start_model({})
    bench = bench_of(sandbox)
    head = "## Tasks\n### Task 1: One\n"
    for body, said in {
        "": "no `## Tasks` section",
        f"{head}Verification:\n- `true`": "no files",
        f"{head}Files:\n- MODIFY ap.py": "nearest: app.py",
        f"{head}Files:\n- CREATE app.py": "write MODIFY",
        f"{head}Files:\n- CREATE ../out.py": "out.py",
        f"{head}Files:\n- CREATE ~/.claude/x.md": "that part is for Claude",
        f"{head}Files:\n- CREATE vend/.git/config": "vend/.git/config",
        f"{head}Depends on: Task 1\nFiles:\n- CREATE x": "depends on itself",
        f"{head}Depends on: Task 7\nFiles:\n- CREATE x": "does not exist",
    }.items():
        sandbox.write(SPEC_PATH, f"# Spec: 001 -- Work\n\n{body}\n")

        with pytest.raises(Refused) as caught:
            launch(bench, LaunchWish(spec="1"))

        assert said in str(caught.value)
        assert nothing_exists(sandbox, bench)


def test_a_dry_run_lists_what_stands_in_the_way_and_is_no_error(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    start_model({})
    sandbox.write(SPEC_PATH, spec_of("One\nFiles:\n- MODIFY ap.py\n- CREATE ../x\n"))
    bench = bench_of(sandbox)

    text = preview(bench, LaunchWish(spec="1"))

    assert text.count("- in the way: ") >= 2
    assert "cannot start, 1 task" in text.splitlines()[0]
    assert nothing_exists(sandbox, bench)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (LaunchWish(spec="9"), "Nearest: 001-work.md"),
        (LaunchWish(spec="1", tasks=(2,)), "2"),
        (LaunchWish(spec="1", profile="modrato"), "moderato"),
        (LaunchWish(spec="1", base="mian"), "mian"),
    ],
)
def test_a_wish_that_names_what_is_not_there_is_refused(
    sandbox: Sandbox, wish: LaunchWish, said: str
) -> None:
    sandbox.write(SPEC_PATH, ONE)
    bench = bench_of(sandbox)

    with pytest.raises(Refused) as caught:
        launch(bench, wish)

    assert said in str(caught.value)
    assert nothing_exists(sandbox, bench)


def test_a_file_that_only_the_checkout_has_is_no_base_for_a_change(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    start_model({})
    sandbox.write("draft.py", "")
    sandbox.write(SPEC_PATH, spec_of("One\nFiles:\n- MODIFY draft.py\nVerification:\n- `true`"))
    bench = bench_of(sandbox)

    with pytest.raises(Refused, match=r"draft\.py.* commit"):
        launch(bench, LaunchWish(spec="1"))

    assert nothing_exists(sandbox, bench)


def test_a_branch_in_the_way_of_ours_is_refused(sandbox: Sandbox, start_model: StartModel) -> None:
    start_model({})
    sandbox.write(SPEC_PATH, ONE)
    sandbox.commit()
    sandbox.git("branch", "kimi")
    bench = bench_of(sandbox)

    with pytest.raises(Refused, match="branch_prefix"):
        launch(bench, LaunchWish(spec="1"))

    sandbox.git("branch", "-D", "kimi")
    assert nothing_exists(sandbox, bench)


async def test_uncommitted_work_is_mentioned_and_left_alone(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    start_model({"": (edit("app.py", "Hello", "Good day"), say("done"))})
    sandbox.write(SPEC_PATH, ONE)
    sandbox.commit()
    dirty = "def greet(name):\n    return 'Hi ' + name\n"
    sandbox.write("app.py", dirty)
    sandbox.write("notes.txt", "mine")
    sandbox.git("add", "notes.txt")
    before = sandbox.git("status", "--porcelain"), sandbox.git("rev-parse", "HEAD")
    bench = bench_of(sandbox)

    with anyio.fail_after(PATIENCE_S):
        wish = LaunchWish(spec="1", base="HEAD")
        launched = await anyio.to_thread.run_sync(launch, bench, wish)
        done = await followed(bench, launched)

    assert 'uncommitted: "app.py". Kimi works on the committed versions.' in done.text
    assert done.outcomes == {1: TaskState.DELIVERED}
    assert before == (sandbox.git("status", "--porcelain"), sandbox.git("rev-parse", "HEAD"))
    assert (sandbox.root / "app.py").read_text(encoding="utf-8") == dirty
    assert "Good day" in sandbox.show(f"kimi/{done.id}/merged", "app.py")


async def test_a_spec_with_a_live_dispatch_is_refused_with_its_id(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    go_on = threading.Event()
    model = start_model({"": (Reply(text="done", wait_for=go_on),)})
    sandbox.write(SPEC_PATH, ONE)
    sandbox.commit()
    bench = bench_of(sandbox)

    with anyio.fail_after(PATIENCE_S):
        launched = await anyio.to_thread.run_sync(launch, bench, LaunchWish(spec="1"))
        await anyio.to_thread.run_sync(model.reached("").wait, 30)
        with pytest.raises(Refused, match=launched.dispatch):
            await anyio.to_thread.run_sync(launch, bench, LaunchWish(spec="1"))
        assert len(bench.history.recent(limit=9)) == 1
        go_on.set()
        done = await followed(bench, launched)

    assert done.report.dispatch.state is DispatchState.FINISHED
    assert len(list(bench.state.root.glob("runs/*"))) == 1
