import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from kimi_mcp.errors import Refused, Unready
from kimi_mcp.profiles.edit import NotEditable, with_values
from kimi_mcp.profiles.switch import Difference, Switched, differences, switch
from kimi_mcp.settings import Profile, Settings

MODERATO = Profile(steps=100)
SWARM = Profile(steps=0, subagents=True)

USER = """\
# my Kimi
default_model = "k2"   # the good one
colour = "blue"

[thinking]
effort = "high"  # keep

[mcp]
tool_timeout_ms = 120_000

# limits
[loop_control]
max_steps_per_turn = 5 # few

[[hooks]]
event = "Stop"
command = "say done"
"""


@pytest.fixture
def kimi_config(tmp_path: Path) -> Path:
    return tmp_path / "kimi" / "config.toml"


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    return tmp_path / "ours" / "kimi-mcp.toml"


@pytest.fixture
def written(kimi_config: Path) -> Path:
    kimi_config.parent.mkdir()
    kimi_config.write_text(USER, encoding="utf-8")
    return kimi_config


def switch_to(name: str, profile: Profile, kimi_config: Path, settings_file: Path) -> Switched:
    return switch(name, profile, kimi_config=kimi_config, settings_file=settings_file)


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_a_profile_is_compared_key_by_key(written: Path):
    rows = differences(Profile(steps=100, model="k2"), kimi_config=written)

    assert rows == (
        Difference(key="loop_control.max_steps_per_turn", present=5, wanted=100),
        Difference(key="mcp.tool_timeout_ms", present=120_000, wanted=120_000),
        Difference(key="thinking.enabled", present=None, wanted=True),
        Difference(key="default_model", present="k2", wanted="k2"),
    )
    assert [row.is_change for row in rows] == [True, False, True, False]


def test_switching_changes_only_the_profiles_keys(written: Path, settings_file: Path):
    switch_to("moderato", MODERATO, written, settings_file)

    assert written.read_text(encoding="utf-8") == snapshot("""\
# my Kimi
default_model = "k2"   # the good one
colour = "blue"

[thinking]
effort = "high"  # keep
enabled = true

[mcp]
tool_timeout_ms = 120_000

# limits
[loop_control]
max_steps_per_turn = 100 # few

[[hooks]]
event = "Stop"
command = "say done"
""")


def test_switching_makes_the_profile_the_default_of_dispatches(written: Path, settings_file: Path):
    settings_file.parent.mkdir()
    settings_file.write_text("# mine\nmax_parallel = 2\n", encoding="utf-8")

    switch_to("swarm", SWARM, written, settings_file)

    assert settings_file.read_text(encoding="utf-8").startswith("# mine\nmax_parallel = 2\n")
    assert Settings.load({}, settings_file).profile == "swarm"


def test_the_backup_is_the_file_as_it_was(written: Path, settings_file: Path):
    written.chmod(0o640)

    switched = switch_to("swarm", SWARM, written, settings_file)

    backup = written.with_name("config.toml.kimi-mcp-backup")
    assert switched.backup == backup
    assert backup.read_text(encoding="utf-8") == USER
    assert mode(backup) == mode(written) == 0o640


def test_switching_again_writes_nothing_and_keeps_the_backup(written: Path, settings_file: Path):
    first = switch_to("swarm", SWARM, written, settings_file)
    before = written.stat()

    again = switch_to("swarm", SWARM, written, settings_file)

    assert again.backup is None
    assert not any(row.is_change for row in again.differences)
    assert written.stat().st_ino == before.st_ino
    assert first.backup is not None
    assert first.backup.read_text(encoding="utf-8") == USER


def test_missing_files_are_made_for_their_owner_only(kimi_config: Path, settings_file: Path):
    switched = switch_to("swarm", SWARM, kimi_config, settings_file)

    assert tomllib.loads(kimi_config.read_text(encoding="utf-8")) == {
        "loop_control": {"max_steps_per_turn": 0},
        "mcp": {"tool_timeout_ms": 120_000},
        "thinking": {"enabled": True},
    }
    assert switched.backup is None
    assert mode(kimi_config) == mode(settings_file) == 0o600
    assert [file.name for file in kimi_config.parent.iterdir()] == ["config.toml"]


def test_a_symbolic_link_stays_one(tmp_path: Path, kimi_config: Path, settings_file: Path):
    real = tmp_path / "dotfiles" / "kimi.toml"
    real.parent.mkdir()
    real.write_text(USER, encoding="utf-8")
    kimi_config.parent.mkdir()
    kimi_config.symlink_to(real)

    switch_to("swarm", SWARM, kimi_config, settings_file)

    assert kimi_config.is_symlink()
    assert tomllib.loads(real.read_text(encoding="utf-8"))["loop_control"] == {
        "max_steps_per_turn": 0
    }
    assert [file.name for file in real.parent.iterdir()] == ["kimi.toml"]


def test_line_endings_of_windows_are_kept(written: Path, settings_file: Path):
    written.write_bytes(USER.replace("\n", "\r\n").encode())

    switch_to("swarm", SWARM, written, settings_file)

    content = written.read_bytes()
    assert content.count(b"\n") == content.count(b"\r\n") > USER.count("\n")


@pytest.mark.parametrize("is_ours", [True, False])
def test_a_malformed_file_is_refused_with_its_line_and_both_are_left_alone(
    written: Path, settings_file: Path, *, is_ours: bool
):
    settings_file.parent.mkdir()
    settings_file.write_text("", encoding="utf-8")
    broken = settings_file if is_ours else written
    broken.write_text("fine = 1\nbroken =\nmore = 2\n", encoding="utf-8")
    before = written.read_bytes(), settings_file.read_bytes()

    with pytest.raises(Refused, match=rf"{broken.name} is not valid TOML.*line 2"):
        switch_to("swarm", SWARM, written, settings_file)

    assert (written.read_bytes(), settings_file.read_bytes()) == before
    assert list(written.parent.iterdir()) == [written]


def test_a_key_that_is_no_table_is_refused_with_what_to_set_by_hand(
    written: Path, settings_file: Path
):
    written.write_text("mcp = 3\n", encoding="utf-8")

    with pytest.raises(Refused, match=r"mcp is no table.*mcp\.tool_timeout_ms = 120000"):
        switch_to("swarm", SWARM, written, settings_file)

    assert written.read_text(encoding="utf-8") == "mcp = 3\n"


def test_a_place_where_no_file_can_be_is_told_and_nothing_changed(
    written: Path, settings_file: Path
):
    settings_file.parent.write_text("a file where the folder should be", encoding="utf-8")

    with pytest.raises(Unready, match=r"kimi-mcp\.toml cannot be read"):
        switch_to("swarm", SWARM, written, settings_file)

    assert written.read_text(encoding="utf-8") == USER


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment",
        "loop_control = { max_steps_per_turn = 4 }",
        "loop_control.max_steps_per_turn = 4\n",
        "[mcp.client]\ntool_call_timeout_ms = 3\n",
        "[a]\nx = 1\n[loop_control]\n[b]\ny = 2\n",
        "[[hooks]]\nevent = 'x'",
        "loop_control.reserved_context_size = 4\n[a]\nx=1\n",
        "[loop_control.deep]\nx = 1\n[mcp]\n[loop_control]\ny = 2\n",
    ],
)
def test_however_the_tables_are_written_only_the_values_change(text: str):
    key = ("loop_control", "max_steps_per_turn")

    edited = tomllib.loads(with_values(text, {key: 100, ("default_model",): "k2"}))

    expected: dict[str, Any] = tomllib.loads(text)
    expected.setdefault("loop_control", {})["max_steps_per_turn"] = 100
    assert edited == expected | {"default_model": "k2"}


_names = st.sampled_from(["a", "b", "loop_control", "mcp", "c d", '"', "é"])
_lines = st.one_of(
    st.builds("[{}]".format, _names),
    st.builds('{} = "x"  # why'.format, st.sampled_from(["a", "b.c", "mcp.x", '"c d"'])),
    st.sampled_from(["# words", "", "[loop_control]", "[mcp]", "max_steps_per_turn = 3"]),
)


@given(st.lists(_lines, max_size=12), st.sampled_from(["\n", "\r\n"]), st.sampled_from([0, 1]))
def test_every_text_is_edited_rightly_or_not_at_all(lines: list[str], newline: str, final: int):
    text = newline.join(lines) + newline * final
    values = {("loop_control", "max_steps_per_turn"): 7, ("profile",): "swarm"}
    try:
        edited = with_values(text, values)
    except (NotEditable, tomllib.TOMLDecodeError):
        return

    after = tomllib.loads(edited)
    assert after["loop_control"]["max_steps_per_turn"] == 7
    assert after["profile"] == "swarm"
    comments = [line for line in text.splitlines() if line.startswith("#")]
    assert [line for line in edited.splitlines() if line.startswith("#")] == comments


def test_the_legacy_cli_has_the_same_wishes_under_its_own_keys(
    kimi_config: Path, settings_file: Path
):
    switch(
        "swarm",
        SWARM,
        dialect="legacy",
        kimi_config=kimi_config,
        settings_file=settings_file,
    )

    config = tomllib.loads(kimi_config.read_text(encoding="utf-8"))
    assert config == {
        "loop_control": {"max_steps_per_turn": 1_000_000},
        "mcp": {"client": {"tool_call_timeout_ms": 120_000}},
        "default_thinking": True,
    }
