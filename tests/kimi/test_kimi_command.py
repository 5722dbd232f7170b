from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_mcp.kimi import code, legacy
from kimi_mcp.kimi.command import ARGUMENT_LIMIT_BYTES, Turn, prompt_for
from kimi_mcp.kimi.dialect import Dialect
from kimi_mcp.kimi.dialects import DIALECTS
from kimi_mcp.processes.environment import passed_on

HOME = Path("/run/home")
BOTH = pytest.mark.parametrize("dialect", DIALECTS.values(), ids=lambda one: one.name)


def turn(prompt: str = "do it", **further: Any) -> Turn:
    return replace(Turn(prompt=prompt, home=HOME, steps=7, attempts=4), **further)


def test_a_run_of_kimi_code_has_exactly_the_flags_that_print_mode_knows():
    assert code.arguments(("node", "main.mjs"), turn()) == [
        *("node", "main.mjs", "-p", "do it", "--output-format", "stream-json"),
    ]
    further = code.arguments(("kimi",), turn("again", session_id="session_1", model="k2"))
    assert further[-4:] == ["-m", "k2", "-S", "session_1"]
    assert code.new_session() is None


def test_a_run_of_the_legacy_cli_has_its_limits_as_flags_and_its_session_in_advance():
    session_id = legacy.new_session()
    argv = legacy.arguments(("kimi",), turn(session_id=session_id, model="k2"))

    assert argv == [
        *("kimi", "--print", "--output-format", "stream-json"),
        *("--agent-file", "/run/home/agent.yaml"),
        *("--max-steps-per-turn", "7", "--max-retries-per-step", "4", "--thinking"),
        *("--model", "k2", "--session", session_id, "--prompt", "do it"),
    ]
    assert legacy.new_session() != session_id
    unlimited = legacy.arguments(("kimi",), turn(steps=0, thinking=False))
    assert "--no-thinking" in unlimited
    assert "--session" not in unlimited
    assert int(unlimited[unlimited.index("--max-steps-per-turn") + 1]) > 100_000


@given(st.text(" \t\r\n\f\v\u00a0\u2003\u2028\ufeff"), st.text(max_size=9))
def test_no_prompt_is_a_slash_command_whatever_blank_space_hides_it(blank: str, rest: str):
    prompt = turn(f"{blank}/{rest}").argument

    assert not prompt.strip().strip("\ufeff").strip().startswith("/")
    assert prompt.endswith(f"/{rest}")


@given(st.text(min_size=1).filter(lambda text: text.strip("/\ufeff \n\t\r") == text))
def test_any_other_prompt_is_passed_as_it_is(prompt: str):
    assert code.arguments(("kimi",), turn(prompt))[2] == prompt
    assert legacy.arguments(("kimi",), turn(prompt))[-1] == prompt


@pytest.mark.parametrize("letter", ["a", "ü"])
def test_a_long_brief_goes_through_a_file(letter: str):
    file = Path("/run/home/brief.md")
    limit = "a" * ARGUMENT_LIMIT_BYTES
    assert prompt_for(limit, file=file) == (limit, False)

    prompt, is_in_file = prompt_for(limit[1:] + letter + "a", file=file)

    assert is_in_file
    assert str(file) in prompt
    assert len(prompt) < 200


HOST = {
    "PATH": "/bin",
    "HOME": "/home/person",
    "ANTHROPIC_API_KEY": "secret",
    "ANTHROPIC_BASE_URL": "x",
    "CLAUDECODE": "1",
    "CLAUDE_CODE_SSE_PORT": "1",
    "KIMI_API_KEY": "legacy's",
    "KIMI_CODE_INFINITE_RETRY": "1",
    "KIMI_CODE_HOME": "/home/person/.kimi-code",
    "KIMI_SHARE_DIR": "/home/person/.kimi",
    "KIMI_MODEL_NAME": "k2",
    "KIMI_MODEL_API_KEY": "theirs",
    "KIMI_CODE_BASE_URL": "https://models.invalid",
    "KIMI_LOOP_MAX_STEPS_PER_TURN": "9999",
    "NODE_OPTIONS": "--inspect",
}


def test_kimi_code_gets_its_limits_and_none_of_the_hosts_secrets():
    assert code.environment(passed_on(HOST), HOST, turn()) == {
        "PATH": "/bin",
        "HOME": "/home/person",
        "KIMI_MODEL_NAME": "k2",
        "KIMI_MODEL_API_KEY": "theirs",
        "KIMI_CODE_BASE_URL": "https://models.invalid",
        "KIMI_LOOP_MAX_STEPS_PER_TURN": "7",
        "KIMI_LOOP_MAX_ATTEMPTS_PER_STEP": "4",
        "KIMI_CODE_HOME": "/run/home",
        "KIMI_CODE_NO_AUTO_UPDATE": "1",
        "KIMI_DISABLE_TELEMETRY": "1",
        "KIMI_DISABLE_CRON": "1",
        "KIMI_CODE_BACKGROUND_PRINT_BACKGROUND_MODE": "exit",
        "GIT_TERMINAL_PROMPT": "0",
    }


def test_the_legacy_cli_gets_its_provider_and_none_of_the_hosts_secrets():
    assert legacy.environment(passed_on(HOST), HOST, turn()) == {
        "PATH": "/bin",
        "HOME": "/home/person",
        "KIMI_API_KEY": "legacy's",
        "KIMI_MODEL_NAME": "k2",
        "KIMI_MODEL_API_KEY": "theirs",
        "KIMI_SHARE_DIR": "/run/home",
        "KIMI_CLI_NO_AUTO_UPDATE": "1",
        "KIMI_DISABLE_TELEMETRY": "1",
        "COLUMNS": "10000",
        "GIT_TERMINAL_PROMPT": "0",
    }


def test_no_step_limit_is_no_variable():
    assert "KIMI_LOOP_MAX_STEPS_PER_TURN" not in code.environment({}, {}, turn(steps=0))


@BOTH
def test_guidance_reaches_the_home_in_its_dialects_own_way(dialect: Dialect):
    files = dialect.home_files(guidance="Two spaces.", has_agents=True)
    without = dialect.home_files(guidance=None, has_agents=True)

    assert any("Two spaces." in (text or "") for text in files.values())
    assert files.keys() == without.keys()
    assert not any("Two spaces." in (text or "") for text in without.values())


def test_the_legacy_cli_is_denied_agents_by_its_agent_file():
    denied = legacy.home_files(guidance=None, has_agents=False)["agent.yaml"] or ""
    allowed = legacy.home_files(guidance=None, has_agents=True)["agent.yaml"] or ""

    assert "kimi_cli.tools.agent:Agent" in denied
    assert "kimi_cli.tools.agent:Agent" not in allowed
    assert "AskUserQuestion" in allowed
