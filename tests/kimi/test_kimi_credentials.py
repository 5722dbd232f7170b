import json
import os
from pathlib import Path

import pytest

from kimi_mcp.kimi.credentials import Credentials


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    home = tmp_path / "code"
    (home / "credentials").mkdir(parents=True)
    (home / "config.toml").write_text(
        '[providers.x]\napi_key = "key-of-x"\nbase_url = "https://x.invalid/v1"\n'
        '[mcp.servers.y.env]\nY_TOKEN = "token-of-y"\n',
        encoding="utf-8",
    )
    (home / "credentials" / "kimi-code.json").write_text(
        json.dumps(
            {"access_token": "access-1", "refresh_token": "refresh-1", "scope": "everything"}
        ),
        encoding="utf-8",
    )
    return {"HOME": str(tmp_path), "KIMI_CODE_HOME": str(home), "HOST_SECRET": "of the host"}


def test_the_users_keys_and_tokens_are_known_beside_those_of_the_environment(
    environ: dict[str, str],
):
    assert Credentials(environ)() == {
        "of the host": "HOST_SECRET",
        "key-of-x": "Kimi's config.toml",
        "token-of-y": "Kimi's config.toml",
        "access-1": "Kimi's kimi-code.json",
        "refresh-1": "Kimi's kimi-code.json",
    }


def test_a_token_that_was_refreshed_meanwhile_is_known_beside_the_old_one(environ: dict[str, str]):
    known = Credentials(environ)
    known()
    file = Path(environ["KIMI_CODE_HOME"]) / "credentials" / "kimi-code.json"

    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps({"access_token": "access-two"}), encoding="utf-8")
    fresh.replace(file)

    assert {"access-1", "access-two"} <= known().keys()


def test_files_that_cannot_be_read_hold_no_secret(environ: dict[str, str]):
    home = Path(environ["KIMI_CODE_HOME"])
    (home / "config.toml").write_text("no = [toml", encoding="utf-8")
    (home / "credentials" / "kimi-code.json").write_bytes(b"\xff{")
    (home / "credentials" / "gone.json").symlink_to(home / "nowhere")

    assert Credentials(environ)() == {"of the host": "HOST_SECRET"}


def test_without_any_kimi_only_the_environment_is_known(tmp_path: Path):
    assert Credentials({"HOME": os.fspath(tmp_path), "A_KEY": "12345678"})() == {
        "12345678": "A_KEY"
    }
