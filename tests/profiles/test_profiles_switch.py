import itertools
import signal
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from kimi_mcp.errors import Refused, Unready
from kimi_mcp.profiles.edit import NotEditable, with_values
from kimi_mcp.profiles.switch import DialectName, Difference, Place, Switched, differences, switch
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


def place_of(kimi_config: Path, settings_file: Path, dialect: DialectName = "code") -> Place:
    memory = settings_file.parent.parent / "memory" / "config.json"
    return Place(
        kimi_config=kimi_config, settings_file=settings_file, memory=memory, dialect=dialect
    )


def switch_to(
    name: str,
    profile: Profile,
    kimi_config: Path,
    settings_file: Path,
    *,
    leaving: str = "moderato",
    dialect: DialectName = "code",
) -> Switched:
    place = place_of(kimi_config, settings_file, dialect)
    return switch(name, profile, place, leaving=leaving)


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

    again = switch_to("swarm", SWARM, written, settings_file, leaving="swarm")

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
        "mcp = { other = 1 }\n",
    ],
)
def test_however_the_tables_are_written_only_the_values_change(text: str):
    key = ("loop_control", "max_steps_per_turn")

    deep = ("mcp", "client", "tool_call_timeout_ms")

    edited = tomllib.loads(with_values(text, {key: 100, deep: 9, ("default_model",): "k2"}))

    expected: dict[str, Any] = tomllib.loads(text)
    expected.setdefault("loop_control", {})["max_steps_per_turn"] = 100
    expected.setdefault("mcp", {}).setdefault("client", {})["tool_call_timeout_ms"] = 9
    assert edited == expected | {"default_model": "k2"}


def test_a_text_that_cannot_be_written_back_rightly_is_not_edited():
    values = {("loop_control", "max_steps_per_turn"): 7, ("profile",): "swarm"}

    with pytest.raises(NotEditable, match="would be no TOML"):
        with_values("a.b = 1", values)  # the last line of a file whose last line has no end
    with pytest.raises(NotEditable, match="would mean something else"):
        with_values("a.b = 1", {("profile",): "swarm", ("a", "c", "d"): 7})


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
    switch_to("swarm", SWARM, kimi_config, settings_file, dialect="legacy")

    config = tomllib.loads(kimi_config.read_text(encoding="utf-8"))
    assert config == {
        "loop_control": {"max_steps_per_turn": 1_000_000},
        "mcp": {"client": {"tool_call_timeout_ms": 120_000}},
        "default_thinking": True,
    }


HAND_WRITTEN = {
    "nothing": "",
    "a comment": "# mine\n\n",
    "moderato's own": (
        "# limits   \n[loop_control]\nmax_steps_per_turn=1_00\t# a hundred\n"
        "  reserved_context_size   = 50_000\n\n\n[mcp]\ntool_timeout_ms = 0x1D4C0\n"
        "[thinking]\nenabled = true\n"
    ),
    "other values": USER,
    "windows": USER.replace("\n", "\r\n"),
    "inline tables": (
        'default_model="k2"\nloop_control={max_steps_per_turn=7 , x = [1,\n 2, # two\n 3]}\n'
        "mcp = { client = { tool_call_timeout_ms = 9 }, tool_timeout_ms = 3 }\n"
    ),
    "dotted keys": (
        "loop_control . max_steps_per_turn = 3 # few\nthinking.enabled=false\n"
        'mcp.client."tool_call_timeout_ms"=4\ndefault_thinking = false\nx = 1'
    ),
    "no line end": "[loop_control]\nmax_steps_per_turn = 4",
    "split tables": "[mcp.client]\nx = 1\n[a]\n[mcp]\ny = 2\n",
}


@pytest.mark.parametrize("dialect", ["code", "legacy"])
@pytest.mark.parametrize("text", HAND_WRITTEN.values(), ids=HAND_WRITTEN)
def test_going_there_and_back_leaves_every_byte_as_it_was(
    text: str, dialect: DialectName, kimi_config: Path, settings_file: Path
):
    kimi_config.parent.mkdir()
    kimi_config.write_bytes(text.encode())

    there = switch_to("swarm", SWARM, kimi_config, settings_file, dialect=dialect)
    changed = kimi_config.read_bytes()
    back = switch_to(
        "moderato", MODERATO, kimi_config, settings_file, leaving="swarm", dialect=dialect
    )

    assert changed != text.encode()
    assert kimi_config.read_bytes() == text.encode()
    assert (there.is_restored, back.is_restored) == (False, True)
    assert Settings.load({}, settings_file).profile == "moderato"

    switch_to("swarm", SWARM, kimi_config, settings_file, dialect=dialect)
    assert kimi_config.read_bytes() == changed


def test_every_profile_on_the_way_is_remembered(written: Path, settings_file: Path):
    night = Profile(steps=7, thinking=False)
    states = {"moderato": written.read_bytes()}
    for leaving, name, profile in (("moderato", "swarm", SWARM), ("swarm", "night", night)):
        switch_to(name, profile, written, settings_file, leaving=leaving)
        states[name] = written.read_bytes()

    switch_to("moderato", MODERATO, written, settings_file, leaving="night")
    assert written.read_bytes() == states["moderato"]
    switch_to("swarm", SWARM, written, settings_file, leaving="moderato")
    assert written.read_bytes() == states["swarm"]
    switch_to("night", night, written, settings_file, leaving="swarm")
    assert written.read_bytes() == states["night"]


def test_what_a_person_edited_since_is_never_undone(written: Path, settings_file: Path):
    switch_to("swarm", SWARM, written, settings_file)
    edited = written.read_text(encoding="utf-8").replace("blue", "green")
    written.write_text(edited, encoding="utf-8")

    back = switch_to("moderato", MODERATO, written, settings_file, leaving="swarm")

    after = written.read_text(encoding="utf-8")
    assert not back.is_restored
    assert 'colour = "green"' in after
    assert tomllib.loads(after)["loop_control"]["max_steps_per_turn"] == 100


def test_a_profile_that_was_restored_with_other_values_is_written_when_asked_for_again(
    written: Path, settings_file: Path
):
    switch_to("swarm", SWARM, written, settings_file)
    switch_to("moderato", MODERATO, written, settings_file, leaving="swarm")
    assert tomllib.loads(written.read_text(encoding="utf-8"))["loop_control"] == {
        "max_steps_per_turn": 5
    }

    switch_to("moderato", MODERATO, written, settings_file)

    config = tomllib.loads(written.read_text(encoding="utf-8"))
    assert config["loop_control"] == {"max_steps_per_turn": 100}


def test_what_is_remembered_holds_no_line_but_the_profiles(written: Path, settings_file: Path):
    secret = 'api_key = "sk-hidden"\n'
    written.write_text(f"{USER}[providers.p]\n{secret}", encoding="utf-8")

    switch_to("swarm", SWARM, written, settings_file)

    memory = place_of(written, settings_file).memory
    assert "sk-hidden" not in memory.read_text(encoding="utf-8")
    assert mode(memory) == 0o600


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"left_as": 3}', "\udcff"])
def test_a_damaged_memory_is_none(damage: str, written: Path, settings_file: Path):
    switch_to("swarm", SWARM, written, settings_file)
    memory = place_of(written, settings_file).memory
    memory.write_bytes(damage.encode(errors="surrogateescape"))

    back = switch_to("moderato", MODERATO, written, settings_file, leaving="swarm")

    assert not back.is_restored
    assert tomllib.loads(written.read_text())["loop_control"]["max_steps_per_turn"] == 100


def test_raw_settings_of_a_profile_are_written_and_taken_back(written: Path, settings_file: Path):
    raw = {"loop_control": {"compaction_trigger_ratio": 0.5}, "services": {"names": ["a", "b"]}}
    night = Profile(kimi=raw)

    switch_to("night", night, written, settings_file)
    config = tomllib.loads(written.read_text(encoding="utf-8"))
    assert config["loop_control"]["compaction_trigger_ratio"] == 0.5
    assert config["services"] == {"names": ["a", "b"]}

    switch_to("moderato", MODERATO, written, settings_file, leaving="night")
    assert written.read_text(encoding="utf-8") == USER


def test_a_configuration_that_kimi_would_not_accept_is_not_written(
    written: Path, settings_file: Path
):
    def disapprove(config: str) -> None:
        assert "max_steps_per_turn = 0" in config
        raise Refused("Kimi says no.")

    place = place_of(written, settings_file)
    with pytest.raises(Refused, match="Kimi says no"):
        switch("swarm", SWARM, place, leaving="moderato", approve=disapprove)

    assert written.read_text(encoding="utf-8") == USER
    assert not settings_file.exists()


_documents = st.lists(_lines, max_size=14).map("\n".join)


@given(
    text=_documents,
    newline=st.sampled_from(["\n", "\r\n"]),
    dialect=st.sampled_from(["code", "legacy"]),
)
def test_there_and_back_is_the_same_for_every_document(
    text: str, newline: str, dialect: DialectName
):
    text = text.replace("\n", newline)
    with TemporaryDirectory() as folder:
        config, settings = Path(folder, "config.toml"), Path(folder, "a", "ours.toml")
        config.write_bytes(text.encode())
        try:
            switch_to("swarm", SWARM, config, settings, dialect=dialect)
        except Refused:
            assert config.read_bytes() == text.encode()
            return
        swarm = config.read_bytes()
        switch_to("moderato", MODERATO, config, settings, leaving="swarm", dialect=dialect)
        assert config.read_bytes() == text.encode()
        switch_to("swarm", SWARM, config, settings, dialect=dialect)
        assert config.read_bytes() == swarm


_KILLED = """
import os, sys, signal
from pathlib import Path
from kimi_mcp.profiles.switch import Place, switch
from kimi_mcp.settings import Profile

calls, fatal = 0, int(sys.argv[2])
def watch(event, arguments):
    global calls
    if event in ("open", "os.rename", "os.chmod", "os.remove", "os.mkdir", "tempfile.mkstemp"):
        if any(sys.argv[1] in str(one) for one in arguments):
            calls += 1
            if calls == fatal:
                os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(watch)
root = Path(sys.argv[1])
place = Place(
    kimi_config=root / "config.toml",
    settings_file=root / "ours.toml",
    memory=root / "memory" / "m.json",
)
switch("swarm", Profile(steps=0), place, leaving="moderato")
"""


def test_a_kill_at_any_point_leaves_the_old_file_or_the_new_one(tmp_path: Path):
    texts: set[str] = set()
    fatal = 0
    for fatal in itertools.count(1):
        root = tmp_path / str(fatal)
        root.mkdir()
        (root / "config.toml").write_text(USER, encoding="utf-8")
        done = subprocess.run([sys.executable, "-c", _KILLED, root, str(fatal)], check=False)
        text = (root / "config.toml").read_text(encoding="utf-8")
        texts.add(text)
        backup = root / "config.toml.kimi-mcp-backup"
        assert text == USER or backup.read_text(encoding="utf-8") == USER

        place = place_of(root / "config.toml", root / "x" / "ours.toml")
        switch("swarm", SWARM, place, leaving="moderato")
        assert not [file.name for file in root.iterdir() if file.name.startswith(".config")]
        assert (root / "config.toml").read_text(encoding="utf-8") != USER
        if done.returncode == 0:
            break
        assert done.returncode == -signal.SIGKILL

    assert fatal > 10
    assert len(texts) == 2
