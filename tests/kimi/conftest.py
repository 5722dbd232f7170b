"""The real legacy CLI for the tests of its dialect."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

import legacy_kimi
from kimi_mcp.demo.script import Reply
from kimi_mcp.demo.scripted_model import ScriptedModel, kimi_config
from sandbox import StartModel


@pytest.fixture(scope="session")
def legacy_main() -> Path | None:
    """The real kimi-cli 1.51, installed once for all runs; nothing where no Python can run it."""
    return legacy_kimi.installed()


@pytest.fixture
def start_legacy_model(
    tmp_path: Path,
    legacy_main: Path | None,
    start_model: StartModel,
    monkeypatch: pytest.MonkeyPatch,
) -> StartModel:
    """As `start_model`, with the legacy CLI as the Kimi that is found."""

    def start(scripts: Mapping[str, Sequence[Reply]]) -> ScriptedModel:
        model = start_model(scripts)
        home = tmp_path / "kimi-share"
        home.mkdir(exist_ok=True)
        (home / "config.toml").write_text(kimi_config(model), encoding="utf-8")
        monkeypatch.setenv("KIMI_SHARE_DIR", str(home))
        monkeypatch.setenv("KIMI_MCP_KIMI", str(legacy_main))
        return model

    return start
