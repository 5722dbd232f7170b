"""Landing: the whole change comes in, or nothing has changed and the sentence says what to do."""

from collections.abc import Callable
from pathlib import Path

import pytest
from landing_cases import (
    WAYS,
    every_kind_of_change,
    hook,
    is_sound,
    kimis_work,
    land_apply,
    land_merge,
    land_squash,
    small_change,
    standing,
)
from user_checkout import Checkout, Task, lay_task

from kimi_mcp.errors import Refused
from kimi_mcp.workspace.repository import locate
from kimi_mcp.workspace.swap import Swap, state_of

Arrange = Callable[[Checkout], None]

LARGE = "large " * 5000
EVERY_WAY = ("apply", "squash", "merge")
COMMITTING = ("squash", "merge")


def changed_the_same_line(checkout: Checkout) -> None:
    checkout.write("src/app.py", "one\n2\nthree\n")


def committed_a_conflict(checkout: Checkout) -> None:
    changed_the_same_line(checkout)
    checkout.commit("Mine")


def changed_the_same_file(checkout: Checkout) -> None:
    checkout.write("src/app.py", "one\ntwo\nthree\nfour\nfive\nsix\n")


def staged_the_same_file(checkout: Checkout) -> None:
    changed_the_same_file(checkout)
    checkout.git("add", "src/app.py")


def has_an_untracked_file_there(checkout: Checkout) -> None:
    checkout.write("src/new.py", "mine\n")


def has_an_ignored_file_there(checkout: Checkout) -> None:
    checkout.write(".git/info/exclude", "src/new.py\n")
    checkout.write("src/new.py", "mine\n")


def has_a_folder_there(checkout: Checkout) -> None:
    checkout.write(".git/info/exclude", "src/new.py/\n")
    checkout.write("src/new.py/mine", "mine\n")


def has_a_link_above(checkout: Checkout) -> None:
    (checkout.root / "src").rename(checkout.root / "elsewhere")
    (checkout.root / "src").symlink_to("elsewhere")


def is_in_a_rebase(checkout: Checkout) -> None:
    checkout.git("branch", "other")
    checkout.write("one", "1\n")
    checkout.commit("Another")
    checkout.git("checkout", "--quiet", "other")
    checkout.write("one", "2\n")
    checkout.commit("Clashing")
    checkout.git("checkout", "--quiet", "main")
    with pytest.raises(AssertionError):
        checkout.git("rebase", "other")


def has_a_locked_index(checkout: Checkout) -> None:
    checkout.write(".git/index.lock", "")


def refuses_in_pre_commit(checkout: Checkout) -> None:
    hook(checkout, "pre-commit", "echo 'never on a Friday' >&2; echo x > src/app.py; exit 1")
    hook(checkout, "pre-merge-commit", "exec .git/hooks/pre-commit")


def refuses_the_message(checkout: Checkout) -> None:
    hook(checkout, "commit-msg", "echo 'no ticket' >&2; exit 3")


def protects_the_branch_by_name(checkout: Checkout) -> None:
    script = 'test "$(git symbolic-ref --short HEAD)" != main || { echo protected; exit 1; }'
    hook(checkout, "pre-commit", script)
    hook(checkout, "pre-merge-commit", script)


def protects_the_branch_in_git(checkout: Checkout) -> None:
    hook(
        checkout,
        "reference-transaction",
        'test "$1" != prepared || ! grep -q refs/heads/main || { echo locked >&2; exit 1; }',
    )


def cannot_sign(checkout: Checkout) -> None:
    checkout.git("config", "commit.gpgSign", "true")
    checkout.git("config", "gpg.program", "false")


REFUSED: list[tuple[Arrange, tuple[str, ...], str]] = [
    (changed_the_same_line, EVERY_WAY, "uncommitted changes .*src/app.py.* Commit or stash"),
    (changed_the_same_file, EVERY_WAY, "uncommitted changes .*src/app.py.* Commit or stash"),
    (staged_the_same_file, EVERY_WAY, "uncommitted changes .*src/app.py.* Commit or stash"),
    (
        committed_a_conflict,
        EVERY_WAY,
        "conflicts with .*src/app.py.*git merge",
    ),
    (has_an_untracked_file_there, EVERY_WAY, "uncommitted changes .*src/new.py"),
    (has_an_ignored_file_there, EVERY_WAY, "uncommitted changes .*src/new.py"),
    (has_a_folder_there, EVERY_WAY, 'src/new.py" stands where'),
    (has_a_link_above, EVERY_WAY, "uncommitted changes .*symbolic link"),
    (is_in_a_rebase, EVERY_WAY, "rebase is under way .* --abort"),
    (has_a_locked_index, EVERY_WAY, "Another git program is at work"),
    (refuses_in_pre_commit, COMMITTING, "commit hook refused .*never on a Friday.* how=apply"),
    (refuses_the_message, COMMITTING, "commit-msg hook refused .*no ticket"),
    (protects_the_branch_by_name, COMMITTING, "commit hook refused .*protected"),
    (
        protects_the_branch_in_git,
        COMMITTING,
        "refuses to move branch main.*locked.* how=pull_request",
    ),
    (cannot_sign, COMMITTING, "could not make or sign .* gpg"),
]


@pytest.mark.parametrize(
    ("arrange", "way", "sentence"),
    [(arrange, way, sentence) for arrange, ways, sentence in REFUSED for way in ways],
)
def test_what_cannot_be_landed_changes_nothing_and_says_what_to_do(
    checkout: Checkout, task: Task, arrange: Arrange, way: str, sentence: str
):
    work = small_change(task)
    arrange(checkout)
    before = standing(checkout)

    with pytest.raises(Refused, match=sentence) as refused:
        WAYS[way](checkout.root, work)

    assert "Nothing was changed" in str(refused.value)
    assert standing(checkout) == before
    assert is_sound(checkout)


def nothing_at_all(checkout: Checkout) -> None:
    pass


def moved_its_branch_on(checkout: Checkout) -> None:
    checkout.write("src/app.py", "zero\none\ntwo\nthree\n")
    checkout.write("other.py", "other\n")
    checkout.commit("Mine")


def works_on_something_else(checkout: Checkout) -> None:
    checkout.write("notes.txt", "untracked\n")
    checkout.write("src/old.py", "unstaged\n")
    checkout.write("staged.py", "staged\n")
    checkout.git("add", "staged.py")
    checkout.write("stashed.py", "stashed\n")
    checkout.git("add", "stashed.py")
    checkout.git("stash", "push", "--quiet", "stashed.py")


@pytest.mark.parametrize("arrange", [nothing_at_all, moved_its_branch_on, works_on_something_else])
@pytest.mark.parametrize("way", EVERY_WAY)
def test_work_is_landed_whole_beside_whatever_else_the_user_does(
    checkout: Checkout, task: Task, arrange: Arrange, way: str
):
    work = small_change(task)
    arrange(checkout)
    status, stash = checkout.git("status", "--porcelain"), checkout.git("stash", "list")
    theirs = (checkout.root / "src/app.py").read_text(encoding="utf-8").replace("two", "TWO")

    landed = WAYS[way](checkout.root, work)

    assert (checkout.root / "src/app.py").read_text(encoding="utf-8") == theirs
    assert (checkout.root / "src/new.py").read_text(encoding="utf-8") == "new\n"
    mine = " M src/app.py\n?? src/new.py\n" if way == "apply" else ""
    assert sorted(checkout.git("status", "--porcelain").splitlines()) == sorted(
        [*status.splitlines(), *mine.splitlines()]
    )
    assert checkout.git("stash", "list") == stash
    assert sorted(landed.files) == ["src/app.py", "src/new.py"]
    assert is_sound(checkout)


@pytest.mark.parametrize("way", EVERY_WAY)
def test_every_kind_of_change_arrives(checkout: Checkout, task: Task, way: str):
    work = every_kind_of_change(task)

    WAYS[way](checkout.root, work)

    checkout.git("add", "--all")
    assert checkout.git("write-tree") == checkout.git("rev-parse", f"{work.commit}^{{tree}}")


@pytest.mark.parametrize("way", EVERY_WAY)
def test_landing_twice_changes_nothing_the_second_time(checkout: Checkout, task: Task, way: str):
    work = every_kind_of_change(task)
    WAYS[way](checkout.root, work)
    before = standing(checkout)

    again = WAYS[way](checkout.root, work)

    assert again.files == ()
    assert again.commit is None
    assert standing(checkout) == before


def test_what_was_applied_can_still_be_squashed(checkout: Checkout, task: Task):
    work = every_kind_of_change(task)
    land_apply(checkout.root, work)
    checkout.git("add", "src/app.py")

    land_squash(checkout.root, work)

    assert checkout.git("status", "--porcelain") == ""
    assert checkout.git("diff", work.commit, "HEAD") == ""


def test_a_squash_has_one_parent_and_the_users_name_and_message(checkout: Checkout, task: Task):
    base = checkout.git("rev-parse", "HEAD")
    land_squash(checkout.root, small_change(task))

    assert checkout.git("log", "-1", "--format=%P|%an|%cn|%s") == f"{base}|Ada|Ada|Squashed"
    assert checkout.git("reflog", "-1", "--format=%gs") == "kimi-mcp: squash"


def test_a_merge_has_both_histories_as_parents(checkout: Checkout, task: Task):
    base = checkout.git("rev-parse", "HEAD")
    work = small_change(task)

    land_merge(checkout.root, work)

    assert checkout.git("log", "-1", "--format=%P") == f"{base} {work.commit}"


def test_the_users_hooks_see_the_commit_and_may_change_it(checkout: Checkout, task: Task):
    work = small_change(task)
    hook(
        checkout,
        "pre-commit",
        "test -z \"$(git diff --cached --name-only | grep -v '^src/')\" || exit 1\n"
        "echo formatted >> src/app.py && git add src/app.py",
    )
    hook(checkout, "commit-msg", 'echo "Ticket: 7" >> "$1"')
    hook(checkout, "post-commit", "git status --porcelain > .git/seen-afterwards")
    checkout.write("staged.py", "staged\n")
    checkout.git("add", "staged.py")

    landed = land_squash(checkout.root, work)

    assert landed.by_hooks == ("src/app.py",)
    assert checkout.git("show", "HEAD:src/app.py") == "one\nTWO\nthree\nformatted"
    assert "Ticket: 7" in checkout.git("log", "-1", "--format=%B")
    assert checkout.git("status", "--porcelain") == "A  staged.py"
    assert (checkout.root / ".git/seen-afterwards").read_text(encoding="utf-8") == "A  staged.py\n"


def test_a_commit_is_signed_when_the_user_signs(checkout: Checkout, task: Task, tmp_path: Path):
    signer = tmp_path / "signer"
    signer.write_text(
        "#!/bin/sh\ncat > /dev/null\necho '[GNUPG:] SIG_CREATED ' >&2\n"
        "echo '-----BEGIN PGP SIGNATURE-----'\necho\necho AAAA\n"
        "echo '-----END PGP SIGNATURE-----'\n",
        encoding="utf-8",
    )
    signer.chmod(0o755)
    checkout.git("config", "commit.gpgSign", "true")
    checkout.git("config", "gpg.program", str(signer))

    land_squash(checkout.root, small_change(task))

    assert "gpgsig -----BEGIN PGP SIGNATURE-----" in checkout.git("cat-file", "commit", "HEAD")


def test_work_is_applied_where_no_branch_is_checked_out(checkout: Checkout, task: Task):
    work = small_change(task)
    checkout.git("checkout", "--quiet", "--detach")
    head = checkout.git("rev-parse", "HEAD")

    land_apply(checkout.root, work)

    assert checkout.git("status", "--porcelain") == " M src/app.py\n?? src/new.py"
    assert checkout.git("rev-parse", "HEAD") == head


@pytest.mark.parametrize("has_hook", [False, True])
def test_a_branch_that_is_checked_out_nowhere_gets_the_commit(
    checkout: Checkout, task: Task, *, has_hook: bool
):
    work = small_change(task)
    checkout.git("checkout", "--quiet", "-b", "elsewhere")
    if has_hook:
        hook(
            checkout,
            "pre-commit",
            'test "$(git symbolic-ref --short HEAD)" = main && grep -q TWO src/app.py',
        )
    files = standing(checkout).files

    land_squash(checkout.root, work)

    assert checkout.git("show", "main:src/new.py") == "new"
    assert standing(checkout).files == files
    assert checkout.git("status", "--porcelain") == ""
    assert len(checkout.git("worktree", "list").splitlines()) == 1


def test_a_hook_refuses_also_where_the_branch_is_checked_out_nowhere(
    checkout: Checkout, task: Task
):
    work = small_change(task)
    checkout.git("checkout", "--quiet", "-b", "elsewhere")
    hook(checkout, "pre-commit", "exit 1")
    before = standing(checkout)

    with pytest.raises(Refused, match="pre-commit hook refused"):
        land_squash(checkout.root, work)

    assert standing(checkout) == before


@pytest.mark.parametrize("way", EVERY_WAY)
def test_a_linked_worktree_is_landed_in_by_itself(
    checkout: Checkout, task: Task, tmp_path: Path, way: str
):
    work = small_change(task)
    checkout.git("checkout", "--quiet", "-b", "elsewhere")
    checkout.git("worktree", "add", "--quiet", str(tmp_path / "linked"), "main")
    linked = Checkout(tmp_path / "linked")
    files = standing(checkout).files

    WAYS[way](linked.root, work)

    assert (linked.root / "src/new.py").read_text(encoding="utf-8") == "new\n"
    clean = way != "apply"
    assert (linked.git("status", "--porcelain") == "") is clean
    assert standing(checkout).files == files
    assert checkout.git("status", "--porcelain") == ""


def test_a_branch_checked_out_in_another_worktree_is_followed_there(
    checkout: Checkout, task: Task, tmp_path: Path
):
    work = small_change(task)
    checkout.git("checkout", "--quiet", "-b", "elsewhere")
    checkout.git("worktree", "add", "--quiet", str(tmp_path / "linked"), "main")

    land_squash(checkout.root, work)

    assert (tmp_path / "linked/src/new.py").read_text(encoding="utf-8") == "new\n"
    assert Checkout(tmp_path / "linked").git("status", "--porcelain") == ""


@pytest.mark.parametrize("way", EVERY_WAY)
def test_submodules_beside_the_work_stay_as_they_are(checkout: Checkout, tmp_path: Path, way: str):
    (tmp_path / "library").mkdir()
    library = Checkout(tmp_path / "library")
    library.git("init", "--quiet", "--initial-branch=main")
    library.write("lib.py", "lib\n")
    library.commit("Library")
    checkout.git("submodule", "--quiet", "add", str(library.root), "vendor/library")
    checkout.commit("Use it")
    work = small_change(lay_task(checkout.root, tmp_path / "run"))
    checkout.write("vendor/library/lib.py", "changed by the user\n")

    WAYS[way](checkout.root, work)

    assert (checkout.root / "src/new.py").is_file()
    text = (checkout.root / "vendor/library/lib.py").read_text(encoding="utf-8")
    assert text == "changed by the user\n"
    assert checkout.git("ls-tree", "HEAD", "vendor/library").startswith("160000")


def test_a_branch_that_moves_while_a_hook_runs_is_left_where_it_went(
    checkout: Checkout, task: Task
):
    work = small_change(task)
    hook(
        checkout,
        "pre-commit",
        "unset GIT_INDEX_FILE\n"
        "git update-ref refs/heads/main $(git commit-tree -p HEAD -m Theirs HEAD^{tree})",
    )
    index = standing(checkout).index
    files = standing(checkout).files

    with pytest.raises(Refused, match=r"main moved to .* Retry"):
        land_squash(checkout.root, work)

    assert checkout.git("log", "-1", "--format=%s", "main") == "Theirs"
    assert standing(checkout).index == index
    assert standing(checkout).files == files


def test_a_branch_that_is_gone_is_named(checkout: Checkout, task: Task):
    work = small_change(task)
    checkout.git("branch", "--move", "main", "trunk")
    before = standing(checkout)

    with pytest.raises(Refused, match=r"no branch main any more.* how=apply"):
        land_squash(checkout.root, work)

    assert standing(checkout) == before


@pytest.mark.parametrize("way", EVERY_WAY)
def test_line_endings_are_those_that_the_user_wants(checkout: Checkout, task: Task, way: str):
    work = small_change(task)
    checkout.git("config", "core.autocrlf", "true")

    WAYS[way](checkout.root, work)

    assert (checkout.root / "src/new.py").read_bytes() == b"new\r\n"
    assert "src/new.py" not in checkout.git("diff", "--name-only")


@pytest.mark.parametrize("way", EVERY_WAY)
def test_large_files_arrive_as_themselves_and_are_stored_as_pointers(
    checkout: Checkout, tmp_path: Path, way: str
):
    checkout.git("lfs", "install", "--skip-repo")
    checkout.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n")
    checkout.write("old.bin", LARGE)
    checkout.commit("With large files")
    task = lay_task(checkout.root, tmp_path / "run")
    task.kimi.write("old.bin", LARGE + "changed")
    task.kimi.write("new.bin", LARGE + "new")

    WAYS[way](checkout.root, kimis_work(task))

    assert (checkout.root / "new.bin").read_text("utf-8") == LARGE + "new"
    assert (checkout.root / "old.bin").read_text("utf-8") == LARGE + "changed"
    checkout.git("add", "--all")
    assert checkout.git("show", ":new.bin").startswith("version https://git-lfs")
    if way != "apply":
        assert checkout.git("status", "--porcelain") == ""


@pytest.mark.parametrize("way", EVERY_WAY)
def test_a_sparse_checkout_stays_sparse(checkout: Checkout, tmp_path: Path, way: str):
    checkout.write("far/away.py", "far\n")
    checkout.commit("Far away")
    checkout.git("sparse-checkout", "set", "src")
    work = small_change(lay_task(checkout.root, tmp_path / "run"))

    WAYS[way](checkout.root, work)

    assert not (checkout.root / "far").exists()
    assert checkout.git("ls-files", "-t", "far").startswith("S ")
    changes = checkout.git("status", "--porcelain").splitlines()
    assert changes == ([" M src/app.py", "?? src/new.py"] if way == "apply" else [])


def test_a_file_and_a_folder_can_change_places(checkout: Checkout, task: Task):
    (task.clone / "src/old.py").unlink()
    task.kimi.write("src/old.py/now_a_folder.py", "inner\n")
    (task.clone / "README.md").unlink()
    (task.clone / "README.md").symlink_to("src")

    land_squash(checkout.root, kimis_work(task))

    assert (checkout.root / "src/old.py/now_a_folder.py").read_text("utf-8") == "inner\n"
    assert (checkout.root / "README.md").readlink() == Path("src")
    assert checkout.git("status", "--porcelain") == ""


def test_what_the_user_renamed_since_is_changed_under_its_new_name(
    checkout: Checkout, tmp_path: Path
):
    text = "".join(f"line {number}\n" for number in range(40))
    checkout.write("src/app.py", text)
    checkout.commit("Longer")
    work_task = lay_task(checkout.root, tmp_path / "run")
    work_task.kimi.write("src/app.py", text.replace("line 7\n", "LINE 7\n"))
    work = kimis_work(work_task)
    checkout.git("mv", "src/app.py", "src/main.py")
    checkout.commit("Renamed")

    landed = land_apply(checkout.root, work)

    assert landed.files == ("src/main.py",)
    assert "LINE 7" in (checkout.root / "src/main.py").read_text("utf-8")
    assert not (checkout.root / "src/app.py").exists()


def test_a_rename_of_the_users_that_is_not_committed_stops_it(checkout: Checkout, task: Task):
    work = small_change(task)
    checkout.git("mv", "src/app.py", "src/main.py")
    before = standing(checkout)

    with pytest.raises(Refused, match="uncommitted changes"):
        land_apply(checkout.root, work)

    assert standing(checkout) == before


def test_a_file_that_git_follows_to_its_new_name_is_the_users_while_uncommitted(
    checkout: Checkout, tmp_path: Path
):
    text = "".join(f"line {number}\n" for number in range(40))
    checkout.write("src/app.py", text)
    checkout.commit("Longer")
    work_task = lay_task(checkout.root, tmp_path / "run")
    work_task.kimi.write("src/app.py", text.replace("line 7\n", "LINE 7\n"))
    work = kimis_work(work_task)
    checkout.git("mv", "src/app.py", "src/main.py")
    checkout.commit("Renamed")
    checkout.write("src/main.py", text + "and mine\n")
    before = standing(checkout)

    with pytest.raises(Refused, match=r"uncommitted changes .*src/main\.py"):
        land_apply(checkout.root, work)

    assert standing(checkout) == before


def test_a_file_that_is_saved_in_the_very_moment_is_left_alone(checkout: Checkout, task: Task):
    work = small_change(task)
    repository = locate(checkout.root)
    paths = ["src/app.py", "src/new.py"]
    stamps = {path: state_of(checkout.root / path) for path in paths}
    checkout.write("src/app.py", "saved by an editor\n")
    before = standing(checkout)

    with (
        pytest.raises(Refused, match=r"src/app\.py.* was changed just now"),
        Swap(repository, work.commit, paths) as swap,
    ):
        swap.perform(stamps)

    assert standing(checkout) == before


@pytest.mark.parametrize("way", COMMITTING)
def test_a_hook_that_kimi_wrote_never_runs_before_the_user_has_committed_it(
    checkout: Checkout, task: Task, way: str
):
    checkout.git("config", "core.hooksPath", "tools/hooks")
    trace = checkout.root.parent / "trace"
    task.kimi.write("tools/hooks/pre-commit", f"#!/bin/sh\ntouch {trace}\n").chmod(0o755)
    work = kimis_work(task)
    before = standing(checkout)

    with pytest.raises(Refused, match=r"changes hooks .*tools/hooks/pre-commit.* how=apply"):
        WAYS[way](checkout.root, work)

    assert standing(checkout) == before
    assert not trace.exists()
    land_apply(checkout.root, work)
    assert not trace.exists()
