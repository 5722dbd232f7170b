from pathlib import Path

import pytest

from kimi_mcp.errors import Refused
from kimi_mcp.settings import Limits, Profile, Settings, config_file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "kimi-mcp.toml"


def load(file: Path, text: str = "", **environ: str) -> Settings:
    file.write_text(text, encoding="utf-8")
    return Settings.load(environ, file)


def refusal(file: Path, text: str = "", **environ: str) -> str:
    with pytest.raises(Refused) as caught:
        load(file, text, **environ)
    return str(caught.value)


def test_without_a_file_the_defaults_hold(file: Path):
    settings = Settings.load({}, file)

    assert settings == Settings(
        profile="moderato",
        max_parallel=3,
        branch_prefix="kimi",
        specs_dir="specs",
        setup=None,
        limits=Limits(
            task_s=1800,
            silence_s=600,
            tool_s=900,
            check_s=600,
            setup_s=600,
            grace_s=10,
            attempts=4,
            retries=12,
            free_bytes=500_000_000,
            kimis=0,
            plan_bytes=1_000_000,
            spec_bytes=1_000_000,
        ),
        profiles={
            "moderato": Profile(
                steps=100, tool_timeout_ms=120_000, thinking=True, model=None, subagents=False
            ),
            "swarm": Profile(
                steps=0,
                tool_timeout_ms=120_000,
                thinking=True,
                model=None,
                subagents=True,
                fan_out="swarm",
            ),
        },
    )


def test_the_file_overrides_single_keys_of_a_built_in_profile_and_adds_new_ones(file: Path):
    settings = load(file, "[profiles.swarm]\nsteps = 300\n[profiles.tiny]\nsteps = 5\n")

    assert settings.profile_named("swarm") == Profile(steps=300, subagents=True, fan_out="swarm")
    assert settings.profile_named("tiny") == Profile(steps=5)
    assert list(settings.profiles) == ["moderato", "swarm", "tiny"]


def test_the_environment_overrides_the_file_key_by_key(file: Path):
    settings = load(
        file,
        'profile = "swarm"\nsetup = ["make"]\n[limits]\ntask_s = 60\ncheck_s = 60\n',
        KIMI_MCP_LIMITS_TASK_S="90.5",
        KIMI_MCP_SETUP='["npm ci", "npm run build"]',
        KIMI_MCP_PROFILES_SWARM_THINKING="false",
        KIMI_MCP_PROFILES_MODERATO_TOOL_TIMEOUT_MS="5",
        KIMI_MCP_PROFILES_MODERATO_MODEL="2",
    )

    assert settings.limits == Limits(task_s=90.5, check_s=60)
    assert settings.setup == ("npm ci", "npm run build")
    assert settings.profiles == {
        "moderato": Profile(tool_timeout_ms=5, model="2"),
        "swarm": Profile(steps=0, subagents=True, fan_out="swarm", thinking=False),
    }


def test_variables_that_only_look_like_settings_are_left_alone(file: Path):
    load(
        file,
        KIMI_MCP_HOME="/x",
        KIMI_MCP_KIMI="/y",
        KIMI_MCP_CONFIG="/z",
        KIMI_MCP_TOOL_TIMEOUT_MS="1",
        KIMI_CODE_HOME="/k",
    )


def test_an_unknown_variable_is_refused_with_the_nearest(file: Path):
    message = refusal(file, KIMI_MCP_LIMIT_TASK_S="3")

    assert "KIMI_MCP_LIMIT_TASK_S" in message
    assert "Nearest: KIMI_MCP_LIMITS_TASK_S" in message


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ('profil = "swarm"', "unknown key profil", "Nearest: profile,"),
        ("[limits]\ntask = 3", "unknown key limits.task", "Nearest: limits.task_s"),
        ("[profiles.swarm]\nstep = 1", "profiles.swarm.step", "Nearest: profiles.swarm.steps"),
        ("max_parallel = 0", "max_parallel = 0", "1 to 64"),
        ('max_parallel = "3"', "max_parallel = '3'", "1 to 64"),
        ("[limits]\nattempts = 1.5", "limits.attempts = 1.5", "1 to 100"),
        ("[limits]\ntask_s = inf", "limits.task_s = inf", "0.1 to 86400"),
        ("[limits]\ntask_s = nan", "limits.task_s = nan", "0.1 to 86400"),
        ("[limits]\ngrace_s = -1", "limits.grace_s = -1", "0 to 86400"),
        ("[profiles.moderato]\nsteps = true", "profiles.moderato.steps = True", "0 to 1000000"),
        ('[profiles.moderato]\nmodel = ""', "profiles.moderato.model", "Kimi's config"),
        ("[profiles.Swarm]\nsteps = 1", "'Swarm' cannot name a profile", "lower-case"),
        ("limits = 3", "limits = 3", "a table"),
        ("profiles = 3", "profiles = 3", "a table"),
        ("[profiles]\nswarm = 1", "profiles.swarm = 1", "a table"),
        ('setup = "make"', "setup = 'make'", "a list of commands"),
        ("setup = [1]", "setup.0 = 1", "a list of commands"),
        ('setup = [" "]', "setup", "a list of commands"),
        ('bring = [".env", "../x"]', "bring", "files inside"),
        ('bring = ["a\\\\b"]', "bring", "files inside"),
        ('allow_read = ["data"]', "allow_read", "a list of paths"),
        ('allow_read = ["/data/../etc"]', "allow_read", "a list of paths"),
        ('allow_write = ["/"]', "allow_write", "none of which holds the home"),
        ('allow_write = ["~/"]', "allow_write", "none of which holds the home"),
        ('profile = "swrm"', "no profile 'swrm'", "moderato, swarm"),
        ("max_parallel = \n", "not valid TOML", "line 1"),
    ],
)
def test_what_is_wrong_is_refused_with_the_file_the_key_and_what_is_allowed(
    file: Path, text: str, key: str, said: str
):
    message = refusal(file, text)

    assert message.startswith(str(file))
    assert key in message
    assert said in message


def test_every_mistake_is_named_at_once(file: Path):
    lines = refusal(file, "max_parallel = 0\n[limits]\nattempts = 0\n").splitlines()

    assert len(lines) == 2


def test_a_wrong_value_of_a_variable_is_not_blamed_on_the_file(file: Path):
    message = refusal(file, KIMI_MCP_MAX_PARALLEL="many")

    assert message.startswith("The environment")
    assert "max_parallel = 'many'" in message


@pytest.mark.parametrize("prefix", ["kimi", "team/kimi", "k", "a.b/c-d", "_x"])
def test_a_legal_branch_prefix_is_taken(file: Path, prefix: str):
    assert load(file, f'branch_prefix = "{prefix}"').branch_prefix == prefix


@pytest.mark.parametrize(
    "prefix", ["", "/kimi", "kimi/", "a//b", "a..b", "x.lock", ".x", "x.", "-x", "a b", "a:b", "@{"]
)
def test_an_illegal_branch_prefix_is_refused(file: Path, prefix: str):
    assert "branch_prefix" in refusal(file, f'branch_prefix = "{prefix}"')


@pytest.mark.parametrize("folder", ["", "/specs", "~/specs", "../specs", "a/../../b", ".git/specs"])
def test_a_specs_folder_outside_the_repository_is_refused(file: Path, folder: str):
    assert "specs_dir" in refusal(file, f'specs_dir = "{folder}"')


def test_an_unknown_profile_is_refused_with_the_known_ones(file: Path):
    with pytest.raises(Refused, match=r"'swrm'.*moderato, swarm"):
        load(file).profile_named("swrm")


def test_the_environment_may_name_another_file(file: Path):
    file.write_text("max_parallel = 7", encoding="utf-8")

    environ = {"KIMI_MCP_CONFIG": str(file)}

    assert config_file(environ) == file
    assert Settings.load(environ).max_parallel == 7


def test_a_file_that_is_no_text_is_refused(file: Path):
    file.write_bytes(b"\xff\xfe")

    with pytest.raises(Refused, match="not valid TOML"):
        Settings.load({}, file)


def test_a_profile_may_say_more_and_what_it_does_not_say_is_left_open(file: Path):
    settings = load(
        file,
        """
        [profiles.night]
        task_s = 7200
        max_parallel = 6
        weekly_steps = 2048
        five_hour_steps = 300
        fan_out = "swarm"
        [profiles.night.kimi.loop_control]
        reserved_context_size = 40000
        [quota]
        live = true
        price = { input = 5.0, output = 25.0 }
        """,
        KIMI_MCP_PROFILES_MODERATO_KIMI="{ image = { max_edge_px = 800 } }",
        KIMI_MCP_PROFILES_MODERATO_FAN_OUT="processes",
    )

    night, moderato = settings.profile_named("night"), settings.profile_named("moderato")
    assert (night.task_s, night.max_parallel) == (7200, 6)
    assert (night.weekly_steps, night.five_hour_steps, night.fan_out) == (2048, 300, "swarm")
    assert night.kimi == {"loop_control": {"reserved_context_size": 40_000}}
    assert moderato.kimi == {"image": {"max_edge_px": 800}}
    assert (moderato.task_s, moderato.weekly_steps) == (None, None)
    assert settings.quota.live
    assert (settings.quota.price.input, settings.quota.price.cached) == (5.0, 0.0)


@pytest.mark.parametrize(
    "text",
    [
        "tools = { disabled = [] }",
        "hooks = []",
        "loop_control = { max_steps_per_turn = 5 }",
        "mcp = { client = { tool_call_timeout_ms = 5 } }",
        "services = { when = 2026-01-01 }",
    ],
)
def test_raw_settings_that_kimi_mcp_sets_itself_or_cannot_write_are_refused(file: Path, text: str):
    said = refusal(file, f"[profiles.moderato.kimi]\n{text}\n")

    assert "profiles.moderato.kimi = " in said
    assert "allowed: a table of Kimi's own keys" in said
