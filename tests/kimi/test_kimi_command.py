from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_mcp.kimi.command import ARGUMENT_LIMIT_BYTES, arguments, environment, prompt_for
from kimi_mcp.processes.environment import passed_on

HOME = Path("/run/home")


def test_a_run_has_exactly_the_flags_that_print_mode_knows():
    assert arguments(("node", "main.mjs"), "do it") == [
        *("node", "main.mjs", "-p", "do it", "--output-format", "stream-json"),
    ]
    further = arguments(("kimi",), "again", session_id="session_1", model="k2")
    assert further[-4:] == ["-m", "k2", "-S", "session_1"]


@given(st.text(" \t\r\n\f\v\u00a0\u2003\u2028\ufeff"), st.text(max_size=9))
def test_no_prompt_is_a_slash_command_whatever_blank_space_hides_it(blank: str, rest: str):
    prompt = arguments(("kimi",), f"{blank}/{rest}")[2]

    assert not prompt.strip().strip("\ufeff").strip().startswith("/")
    assert prompt.endswith(f"/{rest}")


@given(st.text(min_size=1).filter(lambda text: text.strip("/\ufeff \n\t\r") == text))
def test_any_other_prompt_is_passed_as_it_is(prompt: str):
    assert arguments(("kimi",), prompt)[2] == prompt


@pytest.mark.parametrize("letter", ["a", "ü"])
def test_a_long_brief_goes_through_a_file(letter: str):
    file = Path("/run/home/brief.md")
    limit = "a" * ARGUMENT_LIMIT_BYTES
    assert prompt_for(limit, file=file) == (limit, False)

    prompt, is_in_file = prompt_for(limit[1:] + letter + "a", file=file)

    assert is_in_file
    assert str(file) in prompt
    assert len(prompt) < 200


def test_kimi_gets_its_limits_and_none_of_the_hosts_secrets():
    host = {
        "PATH": "/bin",
        "HOME": "/home/person",
        "ANTHROPIC_API_KEY": "secret",
        "ANTHROPIC_BASE_URL": "x",
        "CLAUDECODE": "1",
        "CLAUDE_CODE_SSE_PORT": "1",
        "KIMI_API_KEY": "secret",
        "KIMI_CODE_INFINITE_RETRY": "1",
        "KIMI_CODE_HOME": "/home/person/.kimi-code",
        "KIMI_MODEL_NAME": "k2",
        "KIMI_MODEL_API_KEY": "theirs",
        "KIMI_CODE_BASE_URL": "https://models.invalid",
        "KIMI_LOOP_MAX_STEPS_PER_TURN": "9999",
        "NODE_OPTIONS": "--inspect",
    }

    assert environment(passed_on(host), host, home=HOME, steps=7, attempts=4) == {
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


def test_no_step_limit_is_no_variable():
    env = environment({}, {}, home=HOME, steps=0, attempts=4)

    assert "KIMI_LOOP_MAX_STEPS_PER_TURN" not in env
