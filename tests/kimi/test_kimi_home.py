from pathlib import Path

import pytest

from kimi_mcp.kimi import code, legacy
from kimi_mcp.kimi import home as homes
from kimi_mcp.kimi.home import forget_secrets, user_home


@pytest.fixture
def user(tmp_path: Path) -> Path:
    home = tmp_path / "user"
    (home / "credentials").mkdir(parents=True)
    (home / "credentials" / "kimi-code.json").write_text("token", encoding="utf-8")
    (home / "config.toml").write_text("theirs", encoding="utf-8")
    (home / "device_id").write_text("device", encoding="utf-8")
    return home


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "run" / "home"


def lay(folder: Path, *, user: Path, config: str, guidance: str | None) -> None:
    files = code.home_files(guidance=guidance, has_agents=False)
    homes.lay(folder, user=user, config=config, files=files, dialect=code.DIALECT)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_home_is_private(home: Path, user: Path):
    lay(home, user=user, config="key = 1", guidance="Be kind.")

    assert mode(home) == 0o700
    assert {entry.name: mode(entry) for entry in home.iterdir() if not entry.is_symlink()} == {
        "AGENTS.md": 0o600,
        "config.toml": 0o600,
        "device_id": 0o600,
    }
    assert (home / "config.toml").read_text(encoding="utf-8") == "key = 1"
    assert (home / "AGENTS.md").read_text(encoding="utf-8") == "Be kind."
    assert (home / "device_id").read_text(encoding="utf-8") == "device"


def test_credentials_and_their_lock_are_the_users_own(home: Path, user: Path):
    lay(home, user=user, config="", guidance=None)
    (home / "credentials" / "kimi-code.json").write_text("refreshed", encoding="utf-8")
    (home / "oauth" / "kimi-code.lock").touch()

    assert (user / "credentials" / "kimi-code.json").read_text(encoding="utf-8") == "refreshed"
    assert (user / "oauth" / "kimi-code.lock").exists()
    assert mode(user / "oauth") == 0o700
    assert (user / "config.toml").read_text(encoding="utf-8") == "theirs"


def test_a_user_without_credentials_is_left_alone(home: Path, tmp_path: Path):
    user = tmp_path / "user"
    lay(home, user=user, config="", guidance=None)
    assert not user.exists()

    user.mkdir()
    lay(home, user=user, config="", guidance=None)
    assert names(user) == []
    assert names(home) == ["config.toml"]


def test_laying_it_again_keeps_the_sessions_and_renews_the_rest(home: Path, user: Path):
    lay(home, user=user, config="old", guidance="Old words.")
    (home / "sessions").mkdir()
    (home / "sessions" / "kept").touch()
    lay(home, user=user, config="new", guidance=None)

    assert (home / "config.toml").read_text(encoding="utf-8") == "new"
    assert not (home / "AGENTS.md").exists()
    assert (home / "sessions" / "kept").exists()
    assert (home / "oauth").readlink() == user / "oauth"


def test_what_holds_keys_is_forgotten_and_the_users_own_is_not(home: Path, user: Path):
    lay(home, user=user, config="key", guidance="Be kind.")
    (home / "sessions").mkdir()
    (home / "config.toml.new").write_text("key", encoding="utf-8")  # we were killed while writing
    forget_secrets(home)

    assert names(home) == ["AGENTS.md", "device_id", "sessions"]
    assert (user / "credentials" / "kimi-code.json").read_text(encoding="utf-8") == "token"
    forget_secrets(home)


def test_folders_that_a_worker_put_in_the_way_are_removed(home: Path, user: Path):
    for name in ("config.toml", "config.toml.new", "credentials", "oauth", "AGENTS.md"):
        (home / name / "deep").mkdir(parents=True)

    lay(home, user=user, config="mine", guidance="Be kind.")

    assert (home / "config.toml").read_text(encoding="utf-8") == "mine"
    assert (home / "credentials").readlink() == user / "credentials"


def test_a_planted_link_does_not_lead_our_keys_elsewhere(home: Path, user: Path, tmp_path: Path):
    home.mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.write_text("untouched", encoding="utf-8")
    for name in ("config.toml", "config.toml.new", "device_id", "AGENTS.md"):
        (home / name).symlink_to(outside)

    lay(home, user=user, config="key", guidance="words")

    assert outside.read_text(encoding="utf-8") == "untouched"
    assert not (home / "config.toml").is_symlink()


def test_the_users_home_is_found_and_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)

    assert user_home({"HOME": "/home/p"}) == Path("/home/p/.kimi-code")
    assert user_home({"HOME": "/home/p", "KIMI_CODE_HOME": "/k"}) == Path("/k")
    assert user_home({"KIMI_CODE_HOME": "rel"}) == tmp_path / "rel"


def test_each_dialect_has_a_home_of_its_own(home: Path, user: Path):
    assert user_home({"HOME": "/home/p"}, legacy.DIALECT) == Path("/home/p/.kimi")
    named = {"HOME": "/home/p", "KIMI_CODE_HOME": "/k", "KIMI_SHARE_DIR": "/s"}
    assert user_home(named, legacy.DIALECT) == Path("/s")

    files = legacy.home_files(guidance="Be kind.", has_agents=False)
    homes.lay(home, user=user, config="key", files=files, dialect=legacy.DIALECT)

    assert names(home) == ["agent.yaml", "config.toml", "credentials", "device_id"]
    assert (home / "credentials").readlink() == user / "credentials"
    assert names(user) == ["config.toml", "credentials", "device_id"]
