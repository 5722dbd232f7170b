"""What a dispatch leaves in the state folder is the user's alone, whatever the umask is."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatching import carried_out, spec_of
from kimi_mcp.demo.script import say, write
from kimi_mcp.lifecycle import TaskState
from sandbox import Sandbox, StartModel

#: What programs write there themselves, with their own modes; nobody else can enter the folder.
THEIRS = frozenset(
    {"clone", "git", "index", "mark", "home", "worker", "user", "tmp", "tools", "node-compile"}
)


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def ours(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.is_symlink() or path.name in THEIRS:
            continue
        if path.is_dir():
            yield from ours(path)
        else:
            yield path


@pytest.mark.usefixtures("open_umask")
async def test_every_file_of_ours_is_readable_by_its_owner_only(
    sandbox: Sandbox, start_model: StartModel
) -> None:
    start_model({"": (write("one.py", "ONE = 1\n"), say("done"))})

    done = await carried_out(
        sandbox, spec_of("One\nFiles:\n- CREATE one.py\nVerification:\n- `true`\n")
    )

    assert done.outcomes == {1: TaskState.DELIVERED}
    state = done.bench.state.root
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    files = {
        str(file.relative_to(state)): stat.S_IMODE(file.stat().st_mode) for file in ours(state)
    }
    assert "history.db" in files
    assert any(name.endswith("runner.log") for name in files)
    assert {name: oct(mode) for name, mode in files.items() if mode & 0o077} == {}
