"""The history that the servers of these tests write into, and a spec of one task."""

import pytest

from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.history.ids import DispatchId, new_dispatch_id
from kimi_mcp.lifecycle import DispatchState
from sandbox import Sandbox
from unwritten import new_dispatch

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


@pytest.fixture
def ended(bench: Workbench, sandbox: Sandbox) -> DispatchId:
    """Write a dispatch of one task down that was cancelled before it began."""
    dispatch = new_dispatch_id(1, "one-part", "aaaa")
    head = sandbox.git("rev-parse", "HEAD")
    bench.history.add(
        new_dispatch(
            dispatch,
            sandbox.root,
            spec_path="specs/001-one-part.md",
            spec_title="One part",
            spec_text=ONE_TASK,
            base_commit=head,
        ),
        at=bench.stamp(),
    )
    bench.history.move_dispatch(
        dispatch,
        source=DispatchState.QUEUED,
        target=DispatchState.CANCELLED,
        at=bench.stamp(),
    )
    return dispatch
