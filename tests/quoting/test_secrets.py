import random
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kingfisher_sdk import Rules, Scanner
from regex_samples import sample

from kimi_mcp.quoting.detector import is_suspicious
from kimi_mcp.quoting.secrets import Redactor, secrets_of
from kimi_mcp.quoting.shapes import without_shapes
from planted_keys import password, planted_keys, private_key


@pytest.fixture(scope="module")
def redact(secret_rules: Path) -> Redactor:
    return Redactor(rules=secret_rules)


@pytest.mark.parametrize("kind", planted_keys())
@pytest.mark.parametrize(
    "around", ["{}", "+API = '{}'\n", "got {}, not", "It is ({}).", "KEY: {}.", '{{"k": "{}"}}']
)
def test_the_key_of_an_issuer_is_taken_out_wherever_it_stands(
    redact: Redactor, kind: str, around: str
):
    key = planted_keys()[kind]

    text = redact(f"before\n{around.format(key)}\nafter")

    assert key not in text
    assert "[redacted: " in text
    assert text.startswith("before\n")
    assert text.endswith("\nafter")


@pytest.mark.parametrize(
    "around",
    [
        'password = "{}"',
        "DB_PASSWORD={}",
        "export API_TOKEN={}",
        "+  client_secret: '{}'",
        "postgres://app:{}@db.internal:5432/app",
        "Authorization: Bearer {0}{0}",
        '"access_token": "{}"',
    ],
)
def test_what_stands_where_a_secret_stands_is_taken_out(redact: Redactor, around: str):
    secret = password()

    assert secret not in redact(f"x\n{around.format(secret)}\ny")


@pytest.mark.parametrize("mark", ["", "+", "-", " ", "  > "])
def test_a_private_key_is_taken_out_whole_also_without_its_beginning_or_end(
    redact: Redactor, mark: str
):
    lines = [mark + line for line in private_key().split("\n")]

    for part in (lines, lines[4:], lines[:-3]):
        text = redact("\n".join(["before", *part]))

        assert text.startswith("before\n")
        assert not any(line.strip(" +->") in text for line in part[1:-1])


def test_a_secret_that_is_known_is_taken_out_whatever_it_looks_like(secret_rules: Path):
    known = {"correct horse battery": "MY_PASSWORD"}
    redact = Redactor(known=lambda: known, rules=secret_rules)

    assert redact("it is 'correct horse battery'.") == "it is '[redacted: MY_PASSWORD]'."
    assert "battery" not in redact("+it is correct hor\n+se battery")


def test_the_environments_secrets_are_known_by_their_names():
    environ = {
        "SOME_API_KEY": "0123456789",
        "TOKEN": "abcdefgh",
        "DB_PASSWORD": "a b c d e",
        "SHORT_KEY": "1234567",
        "SSH_KEY_FILE": "/home/me/.ssh/id",
        "LANG": "en_US.UTF-8",
    }

    assert secrets_of(environ) == {
        "0123456789": "SOME_API_KEY",
        "abcdefgh": "TOKEN",
        "a b c d e": "DB_PASSWORD",
    }


@pytest.mark.parametrize(
    "line",
    [
        "index c47df17..99e4f60 100644",
        "commit 4482a052a76251713f3253a414ff2285a6a5f616",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        '"integrity": "sha512-ZJ9jvJd6cQ8H0mXk2rT5yV1bN3wPzLs7uAeKfGhDiOq4tRxYcBvMnWpEaSdFgHjKl=="',
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
        "id = uuid.UUID('123e4567-e89b-12d3-a456-426614174000')",
        "password = getpass.getpass()",
        "token: str | None = None",
        "api_key=os.environ['API_KEY']",
        "def test_a_token_is_refreshed_when_it_has_expired():",
        "max_tokens = 32000",
        "https://example.com/a/b?c=d#e",
        "git@github.com:owner/name.git",
    ],
)
def test_hashes_test_data_and_code_are_left_alone(redact: Redactor, line: str):
    assert redact(line) == line


@given(st.text(st.sampled_from("ab1AB0+/=-_.:'\" \n@") | st.characters(), max_size=400))
def test_redacting_is_done_once_and_never_fails(text: str):
    once = without_shapes(text)

    assert without_shapes(once) == once


@pytest.mark.parametrize(
    "text",
    [
        "password=" * 20_000,
        "-----BEGIN " * 20_000,
        "://a:" * 40_000,
        "ABCDEFGHIJKLMNOPQRST\n" * 10_000 + "PRIVATE KEY",
    ],
)
def test_hostile_text_takes_time_in_proportion_to_its_length(text: str):
    assert without_shapes(text) == text


def found_by_rules(compiled: Path, *, per_rule: int) -> Iterator[str]:
    rules = Rules(cache_dir=compiled)
    scanner = Scanner(rules)
    chance = random.Random(7)
    for rule in rules.metadata():
        for _ in range(per_rule if rule["visible"] else 0):
            text = sample(rules.detail(rule["id"])["detection_regex"], chance)
            if text is not None and any(one.visible for one in scanner.scan(text)):
                yield text


def test_the_detector_is_loaded_for_nearly_all_that_its_rules_would_find(secret_rules: Path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of patterns that are not Python's
        texts = list(found_by_rules(secret_rules, per_rule=4))

    missed = [text for text in texts if not is_suspicious(text)]

    assert len(texts) > 1_000
    assert len(missed) / len(texts) < 0.07


@pytest.mark.parametrize(
    "line",
    [
        "oid sha256:6a65643233041418e09e5d0c759cb9bb5a2ede5aaac615c22c1de3d37bad8df7",
        "FROM app@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "    --hash=sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ],
)
def test_a_hash_that_says_what_it_is_is_no_reason_to_load_the_detector(line: str):
    assert not is_suspicious(line)
    assert is_suspicious(line.replace("sha256:", "key=", 1))
