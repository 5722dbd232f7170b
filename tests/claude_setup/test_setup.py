"""`kimi-mcp setup` and `setup --remove`, with the real Claude Code and without one."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from claude_code import program
from configured import Setup, everything, ways
from kimi_mcp.claude import packaged
from kimi_mcp.claude.places import Places, Scope
from kimi_mcp.claude.receipt import Receipt
from patience import PATIENCE_S
from sandbox import Sandbox

FOREIGN = '{"mcpServers": {"kimi": {"command": "other"}}}'
WAYS = [[], ["--no-plugin", "--no-allow"], ["--scope", "local"], ["--scope", "project"]]


@pytest.mark.usefixtures("claude_on_path")
@pytest.mark.parametrize("how", WAYS, ids=" ".join)
def test_what_was_set_up_is_undone_to_the_byte_and_done_twice_changes_nothing(
    kimi_mcp: Setup, sandbox: Sandbox, how: list[str]
) -> None:
    scope = how[1:2] if how[:1] == ["--scope"] else []
    before = everything(sandbox.root)

    kimi_mcp("setup", "--yes", *how)
    once = everything(sandbox.root)
    servers, hooks = ways(sandbox.root, Scope(scope[0] if scope else "user"))
    again = kimi_mcp("setup", "--yes", *how)

    assert (len(servers), len(hooks)) == (1, 1)
    assert everything(sandbox.root) == once != before
    assert "Nothing to do" in again.stdout

    kimi_mcp("setup", "--remove", "--yes", *(["--scope", *scope] if scope else []))

    assert everything(sandbox.root) == before
    assert not Places.of(Scope.USER, folder=sandbox.root).own.exists()


@pytest.mark.usefixtures("no_claude")
@pytest.mark.parametrize("scope", [*map(str, Scope)])
def test_without_claude_code_its_files_are_written_and_undone(
    kimi_mcp: Setup, sandbox: Sandbox, scope: str
) -> None:
    before = everything(sandbox.root)

    told = kimi_mcp("setup", "--yes", "--scope", scope).stdout
    servers, hooks = ways(sandbox.root, Scope(scope))
    kimi_mcp("setup", "--remove", "--yes", "--scope", scope)

    assert "No Claude Code found" in told
    assert (servers, hooks) == (["kimi"], [scope])
    assert everything(sandbox.root) == before


@pytest.mark.usefixtures("claude_on_path")
@pytest.mark.parametrize("how", [[], ["--no-plugin"]], ids=" ".join)
def test_old_registrations_are_replaced_and_come_back(
    kimi_mcp: Setup, sandbox: Sandbox, config: Path, claude_on_path: Path, how: list[str]
) -> None:
    chosen = json.dumps({"command": "kimi-mcp", "args": [], "env": {"KIMI_MCP_PROFILE": "swarm"}})
    for words in (["-s", "user", "kimi", chosen], ["-s", "local", "k2", chosen]):
        run(claude_on_path, "mcp", "add-json", *words, cwd=sandbox.root)
    old_hook = packaged.hook_entry(["/old/kimi-mcp"])
    settings = json.loads((config / "settings.json").read_text(encoding="utf-8"))
    settings["hooks"]["PostToolUse"].append(old_hook)
    (config / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    before = everything(sandbox.root)

    kimi_mcp("setup", "--yes", *how)
    servers, hooks = ways(sandbox.root)

    assert (servers, hooks) == (["plugin"] if not how else ["kimi"], ["user"])
    listed = run(claude_on_path, "mcp", "list", cwd=sandbox.root)
    assert len(re.findall(r"kimi-mcp +- ✔ Connected", listed)) == 1, listed
    own = Places.of(Scope.USER, folder=sandbox.root)
    registered = own.state_file if how else own.marketplace / "kimi-mcp/.claude-plugin/plugin.json"
    assert '"KIMI_MCP_PROFILE": "swarm"' in registered.read_text(encoding="utf-8")

    kimi_mcp("setup", "--remove", "--yes")

    assert everything(sandbox.root) == before


@pytest.mark.usefixtures("claude_on_path")
def test_from_files_to_the_plugin_and_back_there_is_always_one_of_each(
    kimi_mcp: Setup, sandbox: Sandbox, state_file: Path
) -> None:
    state_file.write_text('{"numStartups":5}', encoding="utf-8")  # which Claude Code completes
    before = everything(sandbox.root)
    for how, server in ([[], "plugin"], [["--no-plugin"], "kimi"], [[], "plugin"]):
        kimi_mcp("setup", "--yes", *how)
        assert ways(sandbox.root) == ([server], ["user"])

    kimi_mcp("setup", "--remove", "--yes")

    assert everything(sandbox.root) == before


@pytest.mark.usefixtures("claude_on_path")
def test_a_projects_shared_server_is_switched_off_for_this_user_and_left_to_the_others(
    kimi_mcp: Setup, sandbox: Sandbox, claude_on_path: Path
) -> None:
    shared = '{"mcpServers": {"kimi": {"command": "kimi-mcp", "args": []}}}'
    sandbox.write(".mcp.json", shared)
    before = everything(sandbox.root)

    kimi_mcp("setup", "--yes")

    listed = run(claude_on_path, "mcp", "list", cwd=sandbox.root)
    assert len(re.findall(r"^.*kimi-mcp.*(?:Connected|Pending).*$", listed, re.MULTILINE)) == 1
    assert ways(sandbox.root) == (["plugin"], ["user"])

    kimi_mcp("setup", "--remove", "--yes")

    assert everything(sandbox.root) == before


@pytest.mark.usefixtures("claude_on_path")
def test_the_installed_plugin_works_from_a_folder_that_is_not_the_repository(
    kimi_mcp: Setup, sandbox: Sandbox, tmp_path: Path, claude_on_path: Path
) -> None:
    kimi_mcp("setup", "--yes")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    listed = run(claude_on_path, "mcp", "list", cwd=elsewhere)
    details = run(claude_on_path, "plugin", "details", packaged.PLUGIN_ID, cwd=elsewhere)
    hooks = Places.of(Scope.USER, folder=sandbox.root).marketplace / "kimi-mcp/hooks/hooks.json"
    (entry,) = json.loads(hooks.read_text(encoding="utf-8"))["hooks"]["PostToolUse"]
    hook = subprocess.run(
        ["/bin/sh", "-c", entry["hooks"][0]["command"]],
        input="{}",
        cwd=elsewhere,
        capture_output=True,
        text=True,
        check=False,
    )

    assert re.search(r"^plugin:kimi-mcp:kimi: .* ✔ Connected$", listed, re.MULTILINE), listed
    for name in ("kimi-spec", "kimi-dispatch", "kimi-review", "PostToolUse"):
        assert name in details
    assert (hook.returncode, hook.stdout, hook.stderr) == (0, "", "")


@pytest.mark.usefixtures("claude_on_path")
def test_a_shared_registration_works_on_a_colleagues_machine(
    kimi_mcp: Setup, sandbox: Sandbox
) -> None:
    kimi_mcp("setup", "--yes", "--scope", "project")

    (server,) = json.loads(sandbox.root.joinpath(".mcp.json").read_text())["mcpServers"].values()
    assert (server["command"], server["args"]) == ("kimi-mcp", [])
    for file in [".mcp.json", *map(str, sandbox.root.glob(".claude/**/*"))]:
        text = Path(sandbox.root, file)
        if text.is_file():
            assert os.environ["HOME"] not in text.read_text(encoding="utf-8")
            assert sys.prefix not in text.read_text(encoding="utf-8")


@pytest.mark.usefixtures("no_claude")
def test_an_edited_rule_survives_an_update_and_is_told_of(
    kimi_mcp: Setup, sandbox: Sandbox
) -> None:
    kimi_mcp("setup", "--yes")
    places = Places.of(Scope.USER, folder=sandbox.root)
    older = packaged.rule().replace("## Quota Awareness", "## Quota")
    receipt = Receipt.of(places)  # as an older version would have left it
    receipt.texts[str(places.rule)] = older
    receipt.remember({}, [])
    mine = older.replace("# Delegating plans to Kimi", "# My way of delegating")
    places.rule.write_text(mine, encoding="utf-8")

    updated = kimi_mcp("setup", "--yes").stdout
    text = places.rule.read_text(encoding="utf-8")
    removed = kimi_mcp("setup", "--remove", "--yes").stdout

    assert text.startswith("# My way of delegating")
    assert "## Quota Awareness" in text
    assert f"{places.rule} was edited; its new version was brought in" in updated
    assert f"{places.rule} was edited and is left where it is" in removed
    assert places.rule.read_text(encoding="utf-8") == text


@pytest.mark.usefixtures("claude_on_path")
def test_what_claude_code_wrote_meanwhile_is_kept_and_ours_goes(
    kimi_mcp: Setup, sandbox: Sandbox, config: Path, state_file: Path, claude_on_path: Path
) -> None:
    old = json.dumps({"command": "kimi-mcp", "args": []})
    run(claude_on_path, "mcp", "add-json", "-s", "user", "kimi", old, cwd=sandbox.root)
    before = json.loads(state_file.read_text(encoding="utf-8"))
    kimi_mcp("setup", "--yes", "--no-plugin")
    kimi_mcp("setup", "--yes")
    state = json.loads(state_file.read_text(encoding="utf-8"))
    state_file.write_text(json.dumps({**state, "numStartups": 6}), encoding="utf-8")
    settings = json.loads((config / "settings.json").read_text(encoding="utf-8"))
    (config / "settings.json").write_text(json.dumps({**settings, "model": "opus"}))

    kimi_mcp("setup", "--remove", "--yes")

    assert json.loads(state_file.read_text(encoding="utf-8")) == {**before, "numStartups": 6}
    left = json.loads((config / "settings.json").read_text(encoding="utf-8"))
    assert left["model"] == "opus"
    assert "kimi" not in json.dumps(left)
    assert left["hooks"]["PostToolUse"] == settings["hooks"]["PostToolUse"]


@pytest.mark.usefixtures("claude_on_path")
def test_a_dry_run_and_a_question_without_a_person_change_nothing(
    kimi_mcp: Setup, sandbox: Sandbox
) -> None:
    before = everything(sandbox.root)

    shown = kimi_mcp("setup", "--dry-run")
    refused = kimi_mcp("setup", is_good=False)

    assert "$ claude plugin install kimi-mcp@kimi-mcp -s user" in shown.stdout
    assert "+## When to Suggest" in shown.stdout
    assert '"mcp__plugin_kimi-mcp_kimi__get_result"' in shown.stdout
    assert "not-to-be-shown" not in shown.stdout
    assert refused.returncode == 2
    assert "give --yes or --dry-run" in refused.stderr
    assert everything(sandbox.root) == before
    assert not Places.of(Scope.USER, folder=sandbox.root).own.exists()


@pytest.mark.usefixtures("no_claude", "kimi_mcp")
@pytest.mark.parametrize(("word", "is_done"), [("n", False), ("", False), ("y", True)])
def test_a_person_is_asked_one_question(sandbox: Sandbox, word: str, *, is_done: bool) -> None:
    before = everything(sandbox.root)
    ours, theirs = pty.openpty()
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(
        [sys.executable, "-m", "kimi_mcp", "setup"],
        cwd=sandbox.root,
        env=env,
        stdin=theirs,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        os.write(ours, f"{word}\n".encode())
        shown = process.communicate(timeout=PATIENCE_S)[0]
    os.close(ours)
    os.close(theirs)

    assert shown.count("? [y/N]") == 1
    assert re.search(r"^In all: 6 files\.\nDo this\? \[y/N\]", shown, re.MULTILINE)
    assert (everything(sandbox.root) != before) is is_done


@pytest.mark.usefixtures("no_claude")
@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (("settings.json", '{"a": 1,}'), "settings.json cannot be used"),
        (("settings.json", '{"hooks": []}'), "hooks is no object"),
        (("../.claude.json", "not json"), ".claude.json cannot be used"),
        (("../.claude.json", FOREIGN), "Another server is registered as 'kimi'"),
    ],
)
def test_what_cannot_be_edited_safely_is_refused_and_nothing_is_changed(
    kimi_mcp: Setup, sandbox: Sandbox, config: Path, broken: tuple[str, str], said: str
) -> None:
    (config / broken[0]).write_text(broken[1], encoding="utf-8")
    before = everything(sandbox.root)

    done = kimi_mcp("setup", "--yes", is_good=False)

    assert done.returncode == 2
    assert said in done.stderr
    assert everything(sandbox.root) == before


@pytest.mark.usefixtures("no_claude")
def test_a_missing_kimi_is_told_and_installed_only_when_wanted(
    kimi_mcp: Setup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KIMI_MCP_KIMI", str(tmp_path / "none"))

    told = kimi_mcp("setup", "--dry-run").stdout
    wanted = kimi_mcp("setup", "--dry-run", "--kimi").stdout

    assert "none, which is no file. Correct it" in told
    assert f"Installs Kimi Code into {tmp_path / 'state' / 'kimi'}" in wanted
    assert not (tmp_path / "state" / "kimi").exists()


@pytest.mark.usefixtures("no_claude")
def test_a_settings_file_that_is_a_link_stays_one(
    kimi_mcp: Setup, config: Path, tmp_path: Path
) -> None:
    real = tmp_path / "dotfiles.json"
    (config / "settings.json").rename(real)
    (config / "settings.json").symlink_to(real)
    before = real.read_bytes()

    kimi_mcp("setup", "--yes")
    during = real.read_bytes()
    kimi_mcp("setup", "--remove", "--yes")

    assert (config / "settings.json").is_symlink()
    assert real.read_bytes() == before != during


def run(claude: Path, *words: str, cwd: Path) -> str:
    assert claude.resolve() == program().resolve()
    done = subprocess.run(
        [claude, *words],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
