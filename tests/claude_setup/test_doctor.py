"""doctor names each link of the chain, and each of many broken set-ups correctly."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from damage import leaves, tear
from kimi_mcp.claude import packaged
from kimi_mcp.claude.installing import install
from kimi_mcp.claude.places import Places, Scope
from kimi_mcp.claude.receipt import Receipt
from kimi_mcp.claude.wanted import Wish, arrange
from kimi_mcp.cli.doctor import examine
from kimi_mcp.cli.finding import Finding, State
from kimi_mcp.demo.script import say
from kimi_mcp.history.history import History
from long_history import lengthen
from patience import PATIENCE_S
from sandbox import Sandbox, StartModel

LINKS = [
    "kimi-mcp",
    "settings",
    "project",
    "state folder",
    "disk",
    "clock",
    "git",
    "fence",
    "Kimi",
    "Kimi's config",
    "Kimi's login",
    "Claude Code",
    "server",
    "plugin",
    "hook",
    "rule",
]


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine on which everything is as it should be."""

    sandbox: Sandbox
    places: Places
    folder: Path
    monkeypatch: pytest.MonkeyPatch

    def set(self, name: str, value: object) -> None:
        self.monkeypatch.setenv(name, str(value))

    def program(self, name: str, script: str) -> Path:
        """Put a program before all others on PATH."""
        file = self.folder / "bin" / name
        file.unlink(missing_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        file.chmod(0o755)
        return file

    def kimi_config(self, text: str) -> None:
        Path(os.environ["KIMI_CODE_HOME"], "config.toml").write_text(text, encoding="utf-8")

    def settings(self, change: Callable[[dict[str, object]], object]) -> None:
        self.json(self.places.settings, change)

    def json(self, file: Path, change: Callable[[dict[str, object]], object]) -> None:
        held = json.loads(file.read_text(encoding="utf-8"))
        change(held)
        file.write_text(json.dumps(held), encoding="utf-8")

    def found(self) -> list[Finding]:
        return [*examine(os.environ, self.sandbox.root)]


@pytest.fixture(name="machine")
def good_machine(
    sandbox: Sandbox,
    start_model: StartModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    claude_on_path: Path,
) -> Machine:
    """Set everything up as a person would, by files."""
    start_model({"": [say("ready")]})
    monkeypatch.chdir(sandbox.root)
    command = tmp_path / "bin" / "kimi-mcp"
    command.write_text("#!/bin/sh\n", encoding="utf-8")
    command.chmod(0o755)
    places = Places.of(Scope.USER, folder=sandbox.root)
    wish = Wish(has_client=False, command=(str(command),))
    receipt = Receipt.of(places)
    install(places, arrange(places, wish, receipt), receipt, None)
    assert claude_on_path.exists()
    return Machine(sandbox, places, tmp_path, monkeypatch)


def test_on_a_good_machine_every_link_is_good(machine: Machine) -> None:
    machine.program("kimi-mcp", "").unlink()
    machine.program("kimi-mcp", "")
    found = machine.found()

    assert list(dict.fromkeys(one.name for one in found)) == LINKS
    assert [one for one in found if one.state is State.BAD] == []
    assert any(str(machine.sandbox.root) in one.evidence for one in found)


Break = Callable[[Machine], object]

BROKEN: dict[str, tuple[Break, str, str, str]] = {
    "Kimi is missing": (
        lambda m: m.set("KIMI_MCP_KIMI", m.folder / "none"),
        "Kimi",
        "which is no file",
        "Correct it",
    ),
    "Kimi is its discontinued last release": (
        lambda m: m.set("KIMI_MCP_KIMI", m.program("k", "echo kimi, version 1.52.0")),
        "Kimi",
        "discontinued",
        "Install its successor",
    ),
    "Kimi is too old": (
        lambda m: m.set("KIMI_MCP_KIMI", m.program("k", "echo 0.12.0")),
        "Kimi",
        "needs 0.38 or newer",
        "@latest",
    ),
    "Kimi is something else": (
        lambda m: m.set("KIMI_MCP_KIMI", m.program("k", "echo hello; exit 3")),
        "Kimi",
        "is not Kimi Code",
        "Install Kimi Code",
    ),
    "Kimi cannot be executed": (
        lambda m: (m.program("k", "").chmod(0o644), m.set("KIMI_MCP_KIMI", m.folder / "bin/k")),
        "Kimi",
        "not executable",
        "chmod +x",
    ),
    "nobody has logged in": (
        lambda m: m.kimi_config(""),
        "Kimi's login",
        "no default model",
        "kimi login",
    ),
    "the token is gone": (
        lambda m: m.kimi_config(
            'default_model = "k"\n[models.k]\nprovider = "p"\nmodel = "k"\n'
            'max_context_size = 1000\n[providers.p]\ntype = "kimi"\nbase_url = "http://127.0.0.1"\n'
            'oauth = { storage = "file", key = "oauth/kimi-code" }\n'
        ),
        "Kimi's login",
        "no stored token",
        "kimi login",
    ),
    "Kimi's configuration is no TOML": (
        lambda m: m.kimi_config("default_model ="),
        "Kimi's config",
        "not valid TOML",
        "Correct it by hand",
    ),
    "Kimi's configuration says what Kimi refuses": (
        lambda m: m.kimi_config("[loop_control]\nmax_steps_per_turn = 'many'\n"),
        "Kimi's config",
        "max_steps_per_turn",
        "Correct it by hand",
    ),
    "the settings have an unknown key": (
        lambda m: (m.folder / "kimi-mcp.toml").write_text("profil = 'swarm'\n"),
        "settings",
        "profil",
        "",
    ),
    "the repository's settings widen": (
        lambda m: m.sandbox.write(".kimi-mcp.toml", "fence = 'off'\n"),
        "project",
        "fence",
        "",
    ),
    "the state folder is a file": (
        lambda m: (m.folder.joinpath("f").write_text(""), m.set("KIMI_MCP_HOME", m.folder / "f")),
        "state folder",
        "cannot be made",
        "KIMI_MCP_HOME",
    ),
    "the history is no database": (
        lambda m: (m.folder / "state" / "history.db").write_text("not a database, " * 100),
        "state folder",
        "history",
        "",
    ),
    "the history is damaged": (
        lambda m: damaged(m.folder / "state" / "history.db"),
        "state folder",
        "is damaged",
        "kimi-mcp history --salvage",
    ),
    "the disk is full": (
        lambda m: m.set("KIMI_MCP_LIMITS_FREE_BYTES", 10**15),
        "disk",
        "less than limits.free_bytes",
        "Make room",
    ),
    "the clock is behind": (
        lambda m: os.utime(made(m.folder / "state" / "runs" / "001-a-b2c3"), (4e9, 4e9)),
        "clock",
        "001-a-b2c3 was at work at 2096",
        "Set the clock",
    ),
    "git is too old": (
        lambda m: m.program("git", 'case "$*" in *version*) echo git version 2.30.2;; esac'),
        "git",
        "2.30.2",
        "Install git 2.38",
    ),
    "the server is not registered": (
        lambda m: m.json(m.places.state_file, lambda held: held.pop("mcpServers")),
        "server",
        "not registered",
        "kimi-mcp setup",
    ),
    "the server is registered twice": (
        lambda m: m.sandbox.write(".mcp.json", '{"mcpServers": {"k": {"command": "kimi-mcp"}}}'),
        "server",
        "twice: kimi (scope user), k (scope project)",
        "kimi-mcp setup",
    ),
    "the registered command is gone": (
        lambda m: (m.folder / "bin" / "kimi-mcp").unlink(),
        "server",
        "which is not there",
        "kimi-mcp setup",
    ),
    "the hook's command is gone": (
        lambda m: (m.folder / "bin" / "kimi-mcp").unlink(),
        "hook",
        "which is not there",
        "kimi-mcp setup",
    ),
    "the hook is missing": (
        lambda m: m.settings(lambda held: held.pop("hooks")),
        "hook",
        "not there",
        "kimi-mcp setup",
    ),
    "the hook is there twice": (
        lambda m: m.sandbox.write(
            ".claude/settings.json",
            json.dumps({"hooks": {"PostToolUse": [packaged.hook_entry(["kimi-mcp"])]}}),
        ),
        "hook",
        "twice",
        "kimi-mcp setup",
    ),
    "all hooks are off": (
        lambda m: m.settings(lambda held: held.update(disableAllHooks=True)),
        "hook",
        "all hooks are off",
        "disableAllHooks",
    ),
    "the rule is missing": (
        lambda m: m.places.rule.unlink(),
        "rule",
        "not there",
        "kimi-mcp setup",
    ),
    "Claude Code's settings are no JSON": (
        lambda m: m.places.settings.write_text("{,}"),
        "server",
        "settings.json cannot be used",
        "correct it by hand",
    ),
    "the plugin's folder is gone": (
        lambda m: m.settings(lambda held: held.update(enabledPlugins={packaged.PLUGIN_ID: True})),
        "plugin",
        "is gone",
        "kimi-mcp setup",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_link_is_named_with_what_to_do(machine: Machine, name: str) -> None:
    spoil, link, evidence, remedy = BROKEN[name]
    machine.set("KIMI_MCP_FENCE", "off")  # nothing of it is tried, which takes a while
    spoil(machine)

    wrong = [one for one in machine.found() if one.state is State.BAD]

    (found, *_) = [one for one in wrong if one.name == link] or [None]
    assert found is not None, wrong
    assert evidence in found.evidence
    assert remedy in (found.remedy or found.evidence)
    assert len({one.name for one in wrong}) <= 2, wrong  # and not all the others with it


def older_rule(machine: Machine) -> None:
    older = packaged.rule() + "\nOld words.\n"
    receipt = Receipt.of(machine.places)
    receipt.texts[str(machine.places.rule)] = older
    receipt.remember({}, [])
    machine.places.rule.write_text(older, encoding="utf-8")


NOTED: dict[str, tuple[Break, str, str]] = {
    "Kimi is newer than tested": (
        lambda m: m.set("KIMI_MCP_KIMI", m.program("k", "echo 2.7.0")),
        "Kimi",
        "newer than 2.1.0",
    ),
    "the fence is off": (lambda m: m.set("KIMI_MCP_FENCE", "off"), "fence", "with all your rights"),
    "the rule was edited": (
        lambda m: m.places.rule.write_text("My own.\n"),
        "rule",
        "was edited",
    ),
    "the rule is an older one": (older_rule, "rule", "another version"),
    "Claude Code is missing": (
        lambda m: (m.folder / "bin" / "claude").unlink(),
        "Claude Code",
        "no `claude` on PATH",
    ),
    "another installation is on PATH": (
        lambda m: m.program("kimi-mcp", ""),
        "kimi-mcp",
        "another installation",
    ),
}


@pytest.mark.parametrize("name", NOTED)
def test_what_is_worth_knowing_is_noted_and_is_no_failure(machine: Machine, name: str) -> None:
    change, link, evidence = NOTED[name]
    change(machine)

    found = machine.found()

    assert any(
        one.name == link and one.state is State.NOTE and evidence in one.evidence for one in found
    ), found
    assert [one for one in found if one.state is State.BAD and one.name == link] == []


def test_a_deep_look_says_that_it_costs_a_step_and_asks_kimi(machine: Machine) -> None:
    assert machine.folder.exists()

    good = doctor("--deep")
    machine.kimi_config("")
    bad = doctor("--deep")

    assert good.stdout.startswith("Asks Kimi one real question: this costs one step.\n")
    assert 'ok   Kimi\'s answer answered "ready"' in good.stdout
    assert good.returncode == 0, good.stdout
    assert bad.returncode == 1
    assert "BAD  Kimi's answer" in bad.stdout


def test_it_reads_well_in_eighty_columns_and_as_json(machine: Machine) -> None:
    machine.kimi_config("")

    shown = doctor()
    told = json.loads(doctor("--json").stdout)

    for line in shown.stdout.splitlines():
        assert len(line) <= 80 or len(line[19:].split()) == 1, line
        assert line[:19].strip() == "" or line[:4].rstrip() in {"ok", "note", "BAD"}
    assert "\n" + " " * 19 + "-> Run `kimi login` in a terminal.\n" in shown.stdout
    (login,) = [one for one in told if one["name"] == "Kimi's login"]
    assert login == {
        "name": "Kimi's login",
        "state": "BAD",
        "evidence": "no default model",
        "remedy": "Run `kimi login` in a terminal.",
    }


def doctor(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kimi_mcp", "doctor", *arguments],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "COLUMNS": "80"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


def damaged(path: Path) -> None:
    History.open(path)
    lengthen(path, dispatches=20, events=40)
    tear(path, *leaves(path, "events"))
