"""Commits carried to another machine and back: little goes out, and only what is whole comes in."""

import random
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path
from threading import Barrier

import pytest

from kimi_mcp.errors import Unready
from kimi_mcp.workspace import git
from kimi_mcp.workspace.carrying import held_in, open_store, packed, take_into_store, take_result
from kimi_mcp.workspace.clone import Ledger, lay_clone, open_ledger
from kimi_mcp.workspace.likeness import Likeness, homebound, lay_likeness, likeness
from kimi_mcp.workspace.objects import commit_tree, tree_of
from kimi_mcp.workspace.repository import Repository, identity, locate
from sandbox import Sandbox


def long_text(seed: int) -> str:
    """Write what does not pack well."""
    return random.Random(seed).randbytes(5000).hex()


class There:
    """Another machine's store."""

    def __init__(self, folder: Path, repository: Repository) -> None:
        self.store, self.folder, self.repository = folder / "store", folder, repository
        open_store(self.store, repository.object_format)

    def send(self, tips: list[str], boundary: str) -> int:
        pack = packed(self.repository.common_dir, tips, boundary=boundary, held=held_in(self.store))
        file = self.folder / "pack"
        file.write_bytes(pack)
        take_into_store(self.store, file, tips, boundary=boundary)
        return len(pack)

    def objects(self) -> int:
        counted = git.run(["rev-list", "--objects", "--all"], git_dir=self.store)
        return len(counted.splitlines())


@pytest.fixture
def there(sandbox: Sandbox, tmp_path: Path) -> There:
    for number in range(5):
        sandbox.write("history.txt", long_text(number))
        sandbox.commit(f"History {number}")
    return There(tmp_path / "there", locate(sandbox.root))


def test_tasks_that_open_a_store_at_once_never_meet_half_of_one(
    tmp_path: Path, there: There
) -> None:
    """Two tasks of a repository that a node has not met arrive there in the same moment."""
    together = Barrier(8)

    def opened(store: Path) -> list[str]:
        together.wait()
        open_store(store, there.repository.object_format)
        return held_in(store)

    with ThreadPoolExecutor(8) as pool:
        for number in range(5):
            assert not [*chain(*pool.map(opened, [tmp_path / f"stores/{number}"] * 8))]
    assert len([*(tmp_path / "stores").iterdir()]) == 5  # and no drafts


def test_no_history_before_the_base_is_sent(there: There) -> None:
    head = there.repository.head

    there.send([head], head)

    assert there.objects() == 5  # a commit, its tree and its three files


def test_what_the_other_machine_holds_is_not_sent_again(there: There, sandbox: Sandbox) -> None:
    whole = there.send([there.repository.head], there.repository.head)
    sandbox.write("new.txt", "new\n")
    sandbox.commit("More")
    head = locate(sandbox.root).head

    little = there.send([head], head)

    assert little < whole / 2
    assert {*held_in(there.store)} == {there.repository.head, head}


def test_a_file_that_only_an_older_commit_had_is_sent(there: There, sandbox: Sandbox) -> None:
    """The base that is held stands for its tree alone: what came before it is not there."""
    there.send([there.repository.head], there.repository.head)
    sandbox.write("history.txt", long_text(0))
    sandbox.commit("Go back")
    head = locate(sandbox.root).head

    there.send([head], head)

    assert git.run(["cat-file", "blob", f"{head}:history.txt"], git_dir=there.store)


def worked_there(there: There, tmp_path: Path) -> tuple[Ledger, str, Path]:
    """Let another machine make a commit; return our ledger, the commit and its pack."""
    repository = there.repository
    head = repository.head
    there.send([head], head)
    told = Likeness.from_json(likeness(repository).to_json())
    likened = lay_likeness(
        told,
        tmp_path / "likeness",
        objects=there.store / "objects",
        head=head,
        boundary=head,
        root=tmp_path,
    )
    theirs = open_ledger(likened, tmp_path / "their-ledger")
    lay_clone(theirs, head, clone=tmp_path / "clone", index=tmp_path / "index")
    (tmp_path / "clone/made.txt").write_text("made\n", encoding="utf-8")
    git.run(
        ["update-index", "--add", "made.txt"],
        git_dir=theirs.git_dir,
        work_tree=tmp_path / "clone",
        index=tmp_path / "index",
    )
    tree = git.line(git.run(["write-tree"], git_dir=theirs.git_dir, index=tmp_path / "index"))
    commit = commit_tree(theirs, tree, parents=[head], message="Made\n", by_worker=True)
    pack = tmp_path / "result"
    pack.write_bytes(packed(theirs.git_dir, [commit], boundary=None, held=[head]))
    return open_ledger(repository, tmp_path / "ledger"), commit, pack


def test_a_result_comes_back_under_the_users_name(there: There, tmp_path: Path) -> None:
    ledger, commit, pack = worked_there(there, tmp_path)

    take_result(ledger, pack, commit, parents=[there.repository.head])

    shown = git.run(["show", "-s", "--format=%cn %s", commit], git_dir=ledger.git_dir)
    assert shown.decode().strip() == f"{identity(there.repository).name} Made"
    assert tree_of(ledger, commit)


def test_a_result_on_another_commit_is_refused(there: There, tmp_path: Path) -> None:
    ledger, commit, pack = worked_there(there, tmp_path)

    with pytest.raises(Unready):
        take_result(ledger, pack, commit, parents=["0" * 40, there.repository.head])

    assert git.ask(["cat-file", "-e", commit], git_dir=ledger.git_dir).exit_code != 0


def test_a_damaged_result_is_refused(there: There, tmp_path: Path) -> None:
    ledger, commit, pack = worked_there(there, tmp_path)
    pack.write_bytes(pack.read_bytes()[:-30])

    with pytest.raises(Unready):
        take_result(ledger, pack, commit, parents=[there.repository.head])

    assert git.ask(["cat-file", "-e", commit], git_dir=ledger.git_dir).exit_code != 0


def test_a_repository_with_submodules_stays_at_home(sandbox: Sandbox) -> None:
    assert homebound(locate(sandbox.root), "HEAD") is None
    head = locate(sandbox.root).head
    sandbox.git("update-index", "--add", "--cacheinfo", f"160000,{head},vendored")
    sandbox.git("commit", "-qm", "Vendor")

    assert homebound(locate(sandbox.root), "HEAD") == "it has submodules"
