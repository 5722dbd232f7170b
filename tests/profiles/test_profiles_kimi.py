"""The real Kimi Code reads what we write."""

import subprocess
import tomllib
from pathlib import Path

import pytest

from kimi_mcp.kimi.node import bundled_node
from kimi_mcp.profiles.compose import compose_config
from kimi_mcp.profiles.switch import Place, switch
from kimi_mcp.settings import Profile
from patience import PATIENCE_S

USER = """\
default_model = "k2"

[providers.mine]
type = "kimi"
base_url = "http://127.0.0.1:9/v1"
api_key = "sk-x"

[models.k2]
provider = "mine"
model = "k2"
max_context_size = 262144
"""


def doctor(kimi_main: Path, file: Path) -> subprocess.CompletedProcess[str]:
    bundled = bundled_node()
    assert bundled is not None
    return subprocess.run(
        [bundled.node, kimi_main, "doctor", "config", file],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


@pytest.mark.parametrize("subagents", [False, True])
def test_kimi_finds_nothing_wrong_with_a_composed_configuration(
    kimi_main: Path, tmp_path: Path, *, subagents: bool
):
    file = tmp_path / "config.toml"
    text = compose_config(
        tomllib.loads(USER),
        steps=100,
        attempts=4,
        tool_timeout_ms=120_000,
        thinking=True,
        model=None,
        subagents=subagents,
        hooks=[{"event": "PreToolUse", "matcher": "Bash", "command": "true", "timeout": 5}],
    )
    file.write_text(text, encoding="utf-8")

    done = doctor(kimi_main, file)

    assert done.returncode == 0, done.stdout + done.stderr


def test_kimi_finds_nothing_wrong_with_a_switched_configuration(kimi_main: Path, tmp_path: Path):
    file = tmp_path / "config.toml"
    file.write_text(USER, encoding="utf-8")
    place = Place(
        kimi_config=file, settings_file=tmp_path / "ours.toml", memory=tmp_path / "memory.json"
    )
    switch("swarm", Profile(steps=0), place, leaving="moderato")

    done = doctor(kimi_main, file)

    assert done.returncode == 0, done.stdout + done.stderr


def test_kimi_would_find_a_word_that_it_does_not_know(kimi_main: Path, tmp_path: Path):
    file = tmp_path / "config.toml"
    file.write_text('[background]\nprint_background_mode = "never"\n', encoding="utf-8")

    assert doctor(kimi_main, file).returncode == 1
