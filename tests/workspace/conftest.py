"""Fixtures of the workspace's tests: real git, nothing of the machine's configuration."""

import os
from pathlib import Path

import pytest
from user_checkout import Checkout, Task, lay_task


@pytest.fixture(autouse=True)
def home(guarded_machine: None, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: ARG001 - order
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    folder = Path(os.environ["HOME"])
    (folder / ".gitconfig").write_text(
        "[user]\n\tname = Ada\n\temail = ada@example.org\n"
        '[gc]\n\tauto = 0\n[protocol "file"]\n\tallow = always\n',
        encoding="utf-8",
    )
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    root = tmp_path / "user"
    root.mkdir()
    made = Checkout(root)
    made.git("init", "--quiet", "--initial-branch=main")
    made.write("README.md", "# Readme\n")
    made.write("src/app.py", "one\ntwo\nthree\n")
    made.write("src/old.py", "old\n")
    made.write(".gitignore", "*.pyc\nbuild/\n/generated/*\n!/generated/keep\n")
    made.commit("First")
    return made


@pytest.fixture
def task(checkout: Checkout, tmp_path: Path) -> Task:
    return lay_task(checkout.root, tmp_path / "run")
