"""The history that the servers of these tests write into, and a spec of one task."""

import pytest

from kimi_mcp.dispatch.workbench import Workbench
from sandbox import Sandbox

ONE_TASK = """\
# Spec: 001 -- One part

## Tasks
### Task 1: One
Files:
- CREATE one.py
Verification:
- `python3 -c "import one"`
"""


@pytest.fixture
def bench(sandbox: Sandbox) -> Workbench:
    """Open the state folder; the guarded machine's variables say where it is."""
    assert sandbox.root.exists()
    return Workbench.open()


@pytest.fixture
def one_task(sandbox: Sandbox) -> Sandbox:
    """A repository with spec 1, whose only task creates one.py."""
    sandbox.write("specs/001-one-part.md", ONE_TASK)
    sandbox.commit()
    return sandbox
