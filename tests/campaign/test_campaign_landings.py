"""A landing that is killed at any of its moments: the next look puts all right.

`FULL_CAMPAIGN=1 .venv/bin/pytest -n logical tests/campaign/test_campaign_landings.py` tries every
moment; else every fifteenth, beginning at another one each way.
"""

import os
import subprocess
from pathlib import Path

import pytest
from scratch_python import Sabotage, ScratchPython
from user_state import fsck, user_state

from harvest import Harvest, Work, harvested
from kimi_mcp.dispatch.housekeeping.clean import clean
from kimi_mcp.dispatch.landing.land import LandWish, land
from kimi_mcp.history.landings import How
from kimi_mcp.review.listing import dispatch_table
from sandbox import Sandbox

STEP = 1 if "FULL_CAMPAIGN" in os.environ else 15
#: More than any of these commands has.
MOMENTS = 110
ONE = Work(files={"one.py": "1\n", "new/two.py": "2\n"})
APP = Work(files={"app.py": "def greet(name):\n    return 'Hi ' + name\n"})
MOVES = [
    (verb, moment)
    for start, verb in enumerate(["apply", "squash", "merge", "clean"])
    for moment in range(1 + 2 * start % STEP, MOMENTS, STEP)
]


def killed(python: ScratchPython, sandbox: Sandbox, moment: int, *arguments: str) -> bool:
    """Run a command that is killed at a moment; tell whether it came to that."""
    folder = sandbox.root.parent
    struck = folder / "struck"
    python.sabotage(
        Sabotage(
            role="command",
            moment=moment,
            deed="kill",
            world=str(folder),
            struck=str(struck),
            go=str(folder / "go"),
        )
    )
    done = subprocess.run(
        [str(python.executable), "-P", "-m", "kimi_mcp", *arguments],
        cwd=sandbox.root,
        check=False,
        capture_output=True,
    )
    python.leave_alone()
    assert struck.exists() or done.returncode == 0, done
    return struck.exists()


def leftovers(harvest: Harvest, sandbox: Sandbox) -> list[str]:
    """Name what only lies about while somebody lands."""
    state = harvest.bench.state
    return [
        *(str(path) for path in (sandbox.root / ".git").rglob("*.lock")),
        *(str(path) for path in (sandbox.root / ".git").rglob("kimi-mcp.*")),
        *(str(path) for path in sandbox.root.glob("kimi-mcp.*")),
        *(str(path) for path in state.underway.glob("*")),
    ]


@pytest.mark.parametrize(("verb", "moment"), MOVES)
def test_a_command_that_is_killed_anywhere_has_done_all_or_nothing(
    sandbox: Sandbox, tmp_path: Path, verb: str, moment: int
) -> None:
    sandbox.git("config", "user.useConfigOnly", "true")
    sandbox.write("staged.py", "staged = 1\n")
    sandbox.git("add", "staged.py")
    sandbox.write("untracked.py", "untracked = 1\n")
    harvest = harvested(sandbox, ONE, APP)
    python = ScratchPython(tmp_path / "python", has_own_package=False)
    before, head = user_state(sandbox), sandbox.git("rev-parse", "HEAD")
    if verb == "clean":
        land(harvest.bench, harvest.id, LandWish(how=How.APPLY))
        before = user_state(sandbox)
        arguments = ["clean"]
    else:
        arguments = ["land", harvest.id, verb]

    is_killed = killed(python, sandbox, moment, *arguments)
    dispatch_table(harvest.bench)

    assert leftovers(harvest, sandbox) == []
    after = user_state(sandbox)
    is_there = sandbox.git("status", "--porcelain") != "A  staged.py\n?? untracked.py"
    if verb in {"squash", "merge"}:
        assert not is_there  # whether it has landed or not: checkout, index and branch agree
        is_there = sandbox.git("rev-parse", "HEAD") != head
    if verb == "clean" or not is_there:
        assert after == before
        assert is_killed or verb == "clean"
    elif verb == "apply":
        land(harvest.bench, harvest.id, LandWish(how=How.APPLY))
    if verb != "clean":
        if not is_there:
            land(harvest.bench, harvest.id, LandWish(how=How(verb)))
        assert (sandbox.root / "new/two.py").read_text("utf-8") == "2\n"
        assert "Hi" in (sandbox.root / "app.py").read_text("utf-8")
        assert sandbox.git("diff", "--cached", "--name-only") == "staged.py"
    clean(harvest.bench, is_dry_run=False)
    assert leftovers(harvest, sandbox) == []
    assert fsck(sandbox) == ""
