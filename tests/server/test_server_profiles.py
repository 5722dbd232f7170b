"""Switching profiles through the server: Kimi's own configuration keeps what a person wrote."""

from pathlib import Path

import anyio

from patience import PATIENCE_S
from sandbox import Sandbox
from serving import connected, text_of

KIMI_CONFIG = """\
# my Kimi, do not touch
default_model = "k2"  # the fast one

[loop_control]
max_steps_per_turn = 100 # enough for me

[providers.mine]
api_key = "sk-secret"
"""


async def test_profiles_are_listed_and_switched_with_comments_kept(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    config = tmp_path / "kimi-home" / "config.toml"
    config.parent.mkdir()
    config.write_text(KIMI_CONFIG, encoding="utf-8")
    with anyio.fail_after(PATIENCE_S):
        async with connected(sandbox) as client:
            listed = await client.call_tool("switch_profile", {})
            assert not listed.is_error
            assert text_of(listed).startswith("Default profile: moderato.")
            assert "| key | now | moderato | swarm |" in text_of(listed)
            assert "| loop_control.max_steps_per_turn | 100 | 100 | 0 |" in text_of(listed)
            assert config.read_text(encoding="utf-8") == KIMI_CONFIG

            switched = await client.call_tool("switch_profile", {"name": "swarm"})
            assert not switched.is_error
            assert text_of(switched).startswith("The profile is now swarm")
            assert "sk-secret" not in text_of(switched) + text_of(listed)
            after = config.read_text(encoding="utf-8")
            assert "# my Kimi, do not touch\n" in after
            assert 'default_model = "k2"  # the fast one\n' in after
            assert "max_steps_per_turn = 0 # enough for me\n" in after
            assert 'api_key = "sk-secret"\n' in after

            assert "| loop_control.max_steps_per_turn | 100 | 0 |" in text_of(switched)

            again = await client.call_tool("switch_profile", {})
            assert text_of(again).startswith("Default profile: swarm.")
        async with connected(sandbox) as client:
            later = await client.call_tool("switch_profile", {})
            assert text_of(later).startswith("Default profile: swarm.")
            back = await client.call_tool("switch_profile", {"name": "moderato"})
            assert "byte for byte" in text_of(back)
            assert config.read_text(encoding="utf-8") == KIMI_CONFIG
