from collections.abc import Iterator

import pytest

from kimi_mcp.processes.launching import FORK_SERVER


@pytest.fixture(name="no_fork_server")
def without_fork_server() -> Iterator[None]:
    """None runs before the test, and none of the test's own is left after it."""
    FORK_SERVER.end()
    yield
    FORK_SERVER.end()
