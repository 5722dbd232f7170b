"""However large a repository is, a clone copies files and no objects."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from giants import BLOB_BYTES, with_files, with_history
from kimi_mcp.workspace.clone import lay_clone, open_ledger
from kimi_mcp.workspace.commit import commit_work
from kimi_mcp.workspace.repository import locate
from sandbox import Sandbox

ALTERNATES = {"info/alternates"}


@pytest.mark.parametrize(
    ("enlarge", "files"),
    [(partial(with_files, count=3_000), 3_002), (partial(with_history, size_bytes=10**7), 3)],
    ids=["many files", "much history"],
)
def test_a_clone_of_a_large_repository_holds_no_object_of_it(
    sandbox: Sandbox, tmp_path: Path, enlarge: Callable[[Path], None], files: int
) -> None:
    enlarge(sandbox.root)
    repository = locate(sandbox.root)
    ledger = open_ledger(repository, tmp_path / "ledger")

    for name in ("one", "two"):
        clone, index = tmp_path / name, tmp_path / f"{name}.index"
        lay_clone(ledger, repository.head, clone=clone, index=index)
        own = Sandbox(clone)
        assert len(own.git("ls-files").splitlines()) == files
        assert own.git("status", "--porcelain") == ""
        assert stored(clone / ".git/objects") == ALTERNATES
        assert size_bytes(clone / ".git") < index.stat().st_size * 2 + 10_000
    assert stored(ledger.git_dir / "objects") == ALTERNATES


def test_what_a_task_makes_is_all_that_its_ledger_stores(sandbox: Sandbox, tmp_path: Path) -> None:
    with_history(sandbox.root, 5 * 10**6)
    repository = locate(sandbox.root)
    ledger = open_ledger(repository, tmp_path / "ledger")
    clone, index = tmp_path / "clone", tmp_path / "index"
    lay_clone(ledger, repository.head, clone=clone, index=index)

    clone.joinpath("app.py").write_text("changed\n", encoding="utf-8")
    head = repository.head
    commit_work(
        ledger, clone=clone, index=index, base=head, parent=head, named=["app.py"], message="Work"
    )

    assert size_bytes(ledger.git_dir / "objects") < BLOB_BYTES // 10
    assert len(stored(ledger.git_dir / "objects") - ALTERNATES) == 3  # a blob, a tree, a commit


def stored(objects: Path) -> set[str]:
    return {str(file.relative_to(objects)) for file in objects.rglob("*") if file.is_file()}


def size_bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
