"""The real CLI plants every trap for git that we know; none of our processes steps into one.

A sprung trap writes down which Kimi home it was run under: Kimi's own processes have the task's
home, ours never do. Kimi springs each trap itself first, so an empty record would fail the test.
"""

from pathlib import Path

from dispatching import branches, configure, dispatched, spec_of, specify
from kimi_mcp.demo.script import bash, say
from kimi_mcp.lifecycle import TaskState
from kimi_mcp.review.view import View
from sandbox import Sandbox, StartModel

TRAP = """\
#!/bin/sh
echo "$KIMI_CODE_HOME $0 $*" >> '{marker}'
cat
"""

PLANT = """\
set -e
plant() {{  # git folder, work tree
    for key in core.fsmonitor diff.external filter.evil.clean filter.evil.smudge \\
        filter.evil.process diff.evil.textconv diff.evil.command merge.evil.driver gpg.program \\
        core.pager core.sshCommand core.askPass core.alternateRefsCommand \\
        uploadpack.packObjectsHook; do
        git config --file "$1/config" "$key" '{trap}'
    done
    git config --file "$1/config" commit.gpgSign true
    git config --file "$1/config" core.hooksPath "$1/hooks"
    mkdir -p "$1/hooks"
    for hook in post-index-change post-checkout pre-commit post-commit reference-transaction; do
        cp '{trap}' "$1/hooks/$hook"
    done
    printf '* filter=evil diff=evil merge=evil\\n' > "$2/.gitattributes"
}}
nested() {{
    mkdir vend && git -C vend init -q && echo one > vend/lib.py
    git -C vend add -A && git -C vend -c user.name=x -c user.email=x@x commit -qm x
    plant vend/.git vend
    echo two > vend/lib.py
}}
spring() {{ git status > /dev/null 2>&1 || true; git diff > /dev/null 2>&1 || true; }}
"""

IN_PLACE = "nested; plant .git .; sed -i 's/^first/FIRST/' shared.txt; git add vend; spring"
BY_A_FILE = """\
plant .git .; sed -i 's/^last/LAST/' shared.txt
mv .git "$TMPDIR/elsewhere"; echo "gitdir: $TMPDIR/elsewhere" > .git; spring"""
REWRITTEN = """\
rm -rf .git; git init -q; git config core.worktree '{project}'
echo '{project}/.git/objects' > .git/objects/info/alternates
nested; plant .git vend; spring"""
A_LINK = "rm -rf .git; ln -s '{project}/.git' .git; echo x > linked.txt"


def files_of(sandbox: Sandbox) -> dict[str, bytes]:
    """Read what is the user's own in their repository's `.git`."""
    git = sandbox.root / ".git"
    own = ["config", "HEAD", "index", "ORIG_HEAD", "packed-refs", "refs/stash", "logs/refs/stash"]
    hooks = [f"hooks/{file.name}" for file in (git / "hooks").iterdir()]
    return {name: (git / name).read_bytes() for name in own + hooks if (git / name).exists()}


def checkout_of(sandbox: Sandbox) -> dict[str, bytes]:
    """Read the user's checkout."""
    found = (file for file in sandbox.root.rglob("*") if ".git" not in file.parts)
    return {str(file): file.read_bytes() for file in found if file.is_file()}


async def test_planted_programs_never_run_in_our_processes(
    sandbox: Sandbox, start_model: StartModel, tmp_path: Path
) -> None:
    marker, trap = tmp_path / "marker", tmp_path / "trap.sh"
    trap.write_text(TRAP.format(marker=marker), encoding="utf-8")
    trap.chmod(0o755)
    middle = "".join(f"{number}\n" for number in range(20))
    sandbox.write("shared.txt", f"first\n{middle}last\n")
    sandbox.commit()
    sandbox.write("app.py", "stashed\n")
    sandbox.git("stash")
    sandbox.write(".git/hooks/pre-commit", "#!/bin/sh\nexit 0\n").chmod(0o755)
    configure('fence = "off"')  # what our git does by itself; the fence would hide it
    plans = [IN_PLACE, BY_A_FILE, REWRITTEN, A_LINK]
    start_model(
        {
            f"# Your task ({number})": (
                bash((PLANT + plan).format_map({"trap": trap, "project": sandbox.root})),
                say("done"),
            )
            for number, plan in enumerate(plans, start=1)
        }
        | {"# Your task (5)": (bash("cp shared.txt copy.txt"), say("done"))}
    )
    both = "- MODIFY shared.txt\n- CREATE .gitattributes"
    check = "Verification:\n- `true`"
    spec = spec_of(
        f"In place\nFiles:\n{both}\n- CREATE vend/**\n{check}",
        f"By a file\nFiles:\n{both}\n{check}",
        f"Rewritten\nFiles:\n- CREATE vend/**\n{check}",
        f"A link\nFiles:\n- CREATE linked.txt\n{check}",
        f"After\nDepends on: Task 1, Task 2\nFiles:\n- CREATE copy.txt\n{check}",
    )
    specify(sandbox, spec)
    before = [files_of(sandbox), checkout_of(sandbox)]

    done = await dispatched(sandbox)
    for view in View:
        done.view(view)

    assert set(done.outcomes.values()) == {TaskState.DELIVERED}
    assert [files_of(sandbox), checkout_of(sandbox)] == before
    run = done.bench.state.run(done.id)
    homes = {number: str(run.task(number).home) for number in range(1, 6)}
    sprung = marker.read_text(encoding="utf-8").splitlines()
    assert {home for number, home in homes.items() if number in {1, 2, 3}} <= {
        line.split(" ")[0] for line in sprung
    }
    assert [line for line in sprung if line.split(" ")[0] not in homes.values()] == []

    for number in (1, 3):
        listing = sandbox.git("ls-tree", "-r", f"kimi/{done.id}/task-{number}", "vend")
        kinds = {line.split("\t")[1]: line.split(" ")[1] for line in listing.splitlines()}
        assert kinds == {"vend/.gitattributes": "blob", "vend/lib.py": "blob"}
        assert sandbox.show(f"kimi/{done.id}/task-{number}", "vend/lib.py") == "two"
    merged = sandbox.show(f"kimi/{done.id}/merged", "copy.txt").splitlines()
    assert (merged[0], merged[-1]) == ("FIRST", "LAST")
    assert len(branches(sandbox)) == 6
    assert not [line for line in sandbox.git("fsck", "--strict").splitlines() if "error" in line]
