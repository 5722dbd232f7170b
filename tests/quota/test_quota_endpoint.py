"""The account's server is a stand-in on loopback; what it answers is whatever a test says."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kimi_mcp.quota.account import Account, account_of
from kimi_mcp.quota.endpoint import ask
from usage_host import GOOD, Host, usage_host

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
TOKEN = "sk-kimi-very-secret"


@pytest.fixture
def host() -> Iterator[Host]:
    with usage_host() as told:
        yield told


def account(host: Host) -> Account:
    return Account(fingerprint="f" * 16, base_url=host.url, token=TOKEN)


def test_the_account_is_asked_with_its_token(host: Host, tmp_path: Path):
    answer = ask(account(host), cache=tmp_path, now=NOON)

    assert not answer.problem
    assert {window.name: window.share for window in answer.windows} == {
        "5 hours": 0.1,
        "7 days": 0.5,
    }
    assert host.asked == [("/coding/v1/usages", f"Bearer {TOKEN}")]


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (401, "{}", "run `kimi login`"),
        (403, "{}", "does not let its usage be asked"),
        (404, "{}", "tells no usage"),
        (429, "{}", "asked too often"),
        (500, "oh", "HTTP 500"),
        (200, "<!doctype html><title>Portal</title>", "no JSON"),
        (200, "", "no JSON"),
        (200, "[" * 100_000, "no JSON"),
        (200, "[]", "not understood"),
        (200, '{"usages": 7}', "not understood"),
        (200, '{"usages": {"limit_7d": {"used_ratio": "lots"}}}', "not understood"),
    ],
)
def test_every_failure_is_told_and_asked_again_after_a_minute_only(
    status: int, body: str, says: str, host: Host, tmp_path: Path
):
    host.status, host.body = status, body

    answers = [
        ask(account(host), cache=tmp_path, now=NOON + timedelta(seconds=s)) for s in (0, 1, 59)
    ]

    assert len(host.asked) == 1
    assert {answer.problem for answer in answers} == {answers[0].problem}
    assert says in answers[0].problem
    assert answers[0].windows == ()

    host.status, host.body = 200, json.dumps(GOOD)
    assert ask(account(host), cache=tmp_path, now=NOON + timedelta(seconds=60)).windows
    assert len(host.asked) == 2


def test_a_silent_account_is_given_up(host: Host, tmp_path: Path):
    host.is_silent = True

    answer = ask(account(host), cache=tmp_path, now=NOON, timeout_s=0.3)

    assert answer.problem == "the account did not answer within 0.3 s"


def test_a_broken_connection_is_told(host: Host, tmp_path: Path):
    host.is_rude = True

    assert "broke" in ask(account(host), cache=tmp_path, now=NOON).problem


def test_an_account_that_cannot_be_reached_is_told(tmp_path: Path):
    nobody = Account(fingerprint="x", base_url="http://127.0.0.1:9/coding/v1", token=TOKEN)

    assert "cannot be reached" in ask(nobody, cache=tmp_path, now=NOON).problem


def test_the_token_goes_to_no_other_host(host: Host, tmp_path: Path):
    host.status, host.headers = 302, {"Location": f"{host.url}/elsewhere"}

    assert "HTTP 302" in ask(account(host), cache=tmp_path, now=NOON).problem
    assert [path for path, _ in host.asked] == ["/coding/v1/usages"]


def test_the_token_is_not_sent_in_the_clear(tmp_path: Path):
    plain = Account(fingerprint="x", base_url="http://kimi.invalid/coding/v1", token=TOKEN)

    assert "not https" in ask(plain, cache=tmp_path, now=NOON).problem


def test_the_token_is_kept_nowhere(host: Host, tmp_path: Path):
    cache = tmp_path / "cache"
    answer = ask(account(host), cache=cache, now=NOON)

    kept = "".join(file.read_text(encoding="utf-8") for file in cache.iterdir())
    assert TOKEN not in kept + repr(answer) + repr(account(host))
    assert all(file.stat().st_mode & 0o077 == 0 for file in [cache, *cache.iterdir()])


def test_a_damaged_or_future_memory_is_asked_anew(host: Host, tmp_path: Path):
    ask(account(host), cache=tmp_path, now=NOON)
    ask(account(host), cache=tmp_path, now=NOON - timedelta(hours=1))
    assert len(host.asked) == 2
    (tmp_path / f"usage-{'f' * 16}.json").write_text("{", encoding="utf-8")
    ask(account(host), cache=tmp_path, now=NOON - timedelta(hours=1))
    assert len(host.asked) == 3


def jwt(**claims: object) -> str:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{body}.sig"


CONFIG: dict[str, Any] = {
    "default_model": "k2",
    "models": {"k2": {"provider": "managed"}, "own": {"provider": "platform"}},
    "providers": {
        "managed": {"type": "kimi", "oauth": {"storage": "file", "key": "oauth/kimi-code"}},
        "platform": {"type": "kimi", "base_url": "https://platform.invalid/v1", "api_key": "sk-x"},
        "plan": {"base_url": "https://plan.invalid/v1", "api_key": "sk-kimi-1"},
    },
}


def found(home: Path, **over: Any) -> Account | None:
    given: dict[str, Any] = {"config": CONFIG, "environ": {}, "model": None, "now": NOON, **over}
    return account_of(given.pop("config"), home=home, **given)


def log_in(home: Path, token: str, *, lasts_s: float = 600) -> None:
    (home / "credentials").mkdir(exist_ok=True)
    stored = {
        "access_token": token,
        "refresh_token": "r",
        "expires_at": NOON.timestamp() + lasts_s,
    }
    (home / "credentials" / "kimi-code.json").write_text(json.dumps(stored), encoding="utf-8")


def test_a_login_is_used_as_it_is_stored_while_it_is_good(tmp_path: Path):
    log_in(tmp_path, jwt(sub="me"))
    good = found(tmp_path)
    log_in(tmp_path, jwt(sub="me", iat=2), lasts_s=-1)
    late = found(tmp_path)
    before = (tmp_path / "credentials" / "kimi-code.json").read_bytes()
    log_in(tmp_path, jwt(sub="somebody else"))
    other = found(tmp_path)

    assert good
    assert late
    assert other
    assert good.token == jwt(sub="me")
    assert (late.token, late.obstacle) == (
        None,
        "Kimi's stored login has expired; Kimi renews it when it runs next",
    )
    assert good.fingerprint == late.fingerprint != other.fingerprint
    assert b"refresh_token" in before


@pytest.mark.parametrize("stored", [None, "", "[]", "{}", "{", '{"access_token": 3}'])
def test_without_a_usable_login_it_says_so(stored: str | None, tmp_path: Path):
    if stored is not None:
        log_in(tmp_path, "x")
        (tmp_path / "credentials" / "kimi-code.json").write_text(stored, encoding="utf-8")

    without = found(tmp_path)

    assert without is not None
    assert without.token is None
    assert without.obstacle


def test_a_key_is_an_account_of_its_own_and_only_a_plans_is_asked_with(tmp_path: Path):
    platform = found(tmp_path, model="own")
    config = {**CONFIG, "models": {"k2": {"provider": "plan"}}}
    plan = found(tmp_path, config=config)
    by_environment = found(
        tmp_path, environ={"KIMI_MODEL_NAME": "m", "KIMI_MODEL_API_KEY": "sk-kimi-2"}
    )

    assert platform
    assert plan
    assert by_environment
    assert (platform.token, platform.obstacle) == (None, "the account pays by use, not by plan")
    assert plan.token == "sk-kimi-1"
    assert len({one.fingerprint for one in (platform, plan, by_environment)}) == 3
    assert "sk" not in platform.fingerprint


@pytest.mark.parametrize("config", [{}, {"default_model": 3}, {"models": 3, "providers": []}])
def test_a_configuration_without_a_provider_has_no_account(
    config: dict[str, object], tmp_path: Path
):
    assert found(tmp_path, config=config) is None
