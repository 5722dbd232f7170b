"""The legacy CLI for the tests of its dialect: the real one where a Python can run it.

Elsewhere it is what was recorded of the real one, and the output of a test says so. With
`RECORD_KIMI` set, the runs of both CLIs are recorded anew.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

import legacy_kimi
from kimi_mcp.demo.script import Reply
from kimi_mcp.demo.scripted_model import ScriptedModel, kimi_config
from kimi_mcp.kimi.node import bundled_node
from recorded_kimi import RECORDINGS, readable, wrapper
from sandbox import StartModel

IS_RECORDING = "RECORD_KIMI" in os.environ
IS_REPLAYING = "REPLAY_KIMI" in os.environ


@pytest.fixture(scope="session")
def legacy_main() -> Path | None:
    """The real kimi-cli 1.51, installed once for all runs; nothing where no Python can run it."""
    return None if IS_REPLAYING else legacy_kimi.installed()


@pytest.fixture
def start_recorded_model(
    tmp_path: Path, kimi_main: Path, start_model: StartModel, monkeypatch: pytest.MonkeyPatch
) -> StartModel:
    """As `start_model`, with what Kimi Code does recorded when that is asked for."""
    node = bundled_node()
    if IS_RECORDING and node is not None:
        words = ("record", RECORDINGS / "code", node.node, kimi_main)
        monkeypatch.setenv("KIMI_MCP_KIMI", str(wrapper(tmp_path, *words)))
        monkeypatch.setenv("KIMI_MCP_FENCE", "off")  # it writes the recordings
    return start_model


@pytest.fixture
def start_legacy_model(
    tmp_path: Path,
    legacy_main: Path | None,
    start_model: StartModel,
    monkeypatch: pytest.MonkeyPatch,
) -> StartModel:
    """As `start_model`, with the legacy CLI as the Kimi that is found."""
    if legacy_main is None:
        program = wrapper(tmp_path, "replay", RECORDINGS / "legacy")
        monkeypatch.setenv("KIMI_MCP_ALLOW_READ", readable())
    elif IS_RECORDING:
        monkeypatch.setenv("KIMI_MCP_FENCE", "off")  # it writes the recordings
        program = wrapper(tmp_path, "record", RECORDINGS / "legacy", legacy_main)
    else:
        program = legacy_main
    print("legacy CLI:", "replayed" if legacy_main is None else f"real, {program}")  # noqa: T201
    home = tmp_path / "kimi-share"
    home.mkdir()
    monkeypatch.setenv("KIMI_SHARE_DIR", str(home))
    monkeypatch.setenv("KIMI_MCP_KIMI", str(program))

    def start(scripts: Mapping[str, Sequence[Reply]]) -> ScriptedModel:
        model = start_model(scripts)
        (home / "config.toml").write_text(kimi_config(model), encoding="utf-8")
        return model

    return start
