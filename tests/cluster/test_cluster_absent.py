"""Where the extra `ray` is not installed, or not asked for, nothing of it is there."""

import subprocess
import sys
from pathlib import Path

import pytest

from kimi_mcp.dispatch.elsewhere.asking import asked_of
from kimi_mcp.errors import Refused
from kimi_mcp.settings import Settings

ROOT = Path(__file__).parents[2]
DOORS = (
    "kimi_mcp.server.app",
    "kimi_mcp.dispatch.running.runner",
    "kimi_mcp.dispatch.elsewhere.worker",
    "kimi_mcp.dispatch.elsewhere.abroad",
    "kimi_mcp.cli.hook",
    "kimi_mcp.cli.main",
    "kimi_mcp.cli.cluster",
    "kimi_mcp.cluster.keeper",
)


@pytest.fixture
def without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Python find no Ray, as where the extra was not installed."""

    def found(_: str) -> None:
        return None

    monkeypatch.setattr("importlib.util.find_spec", found)


@pytest.mark.parametrize("door", DOORS)
def test_no_process_but_the_engine_loads_ray(door: str) -> None:
    code = f"import sys; sys.modules['ray'] = None; import {door}; print('came in')"

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("came in\n", "")


@pytest.mark.usefixtures("without_ray")
def test_without_the_extra_a_dispatch_stays_here_and_a_cluster_is_refused_with_the_remedy() -> None:
    here = Settings.load({})
    there = Settings.load({"KIMI_MCP_CLUSTER_POLICY": "cluster"})

    assert asked_of(here, {}) is None
    with pytest.raises(Refused, match=r"need the extra `ray`: pip install 'kimi-mcp\[ray\]'"):
        asked_of(there, {})
