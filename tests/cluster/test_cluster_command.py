"""`kimi-mcp cluster`: showing the machines, and what is refused before one becomes one of them."""

import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from kimi_mcp import __version__
from kimi_mcp.cli import cluster, nodes
from kimi_mcp.cli.main import main
from kimi_mcp.cluster.starting import environment, head_command, join_command
from kimi_mcp.state import StateFolder
from machines import Machines

NODE: dict[str, Any] = {
    "name": "attic",
    "address": "192.0.2.7",
    "slots": 4,
    "labels": {},
    "attempts": ["001-login-7k3f-task-1-a1"],
    "kimi_mcp": __version__,
    "ray": "2.60.0",
    "python": "3.11.7",
    "kimi": "2.1.0",
    "trouble": None,
    "is_guarded": True,
}


@pytest.mark.usefixtures("abroad")
def test_the_machines_are_shown_with_versions_and_free_slots(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["cluster", "--json"]) == 0

    found = {node["name"]: node for node in json.loads(capsys.readouterr().out)}
    assert {name: node["slots"] for name, node in found.items()} == {"head": 0, "one": 2, "two": 2}
    assert {node["kimi_mcp"] for node in found.values()} == {__version__}
    assert {node["kimi"] for node in found.values()} == {"2.1.0"}
    assert all(node["is_guarded"] for node in found.values())


@pytest.mark.usefixtures("abroad")
def test_a_machine_of_another_version_is_told_of_and_no_task_is_sent_there(
    machines: Machines, capsys: pytest.CaptureFixture[str]
) -> None:
    machines.join("three", version="9.9.9")

    assert main(["cluster"]) == 0

    shown = capsys.readouterr().out
    machines.forget("three")
    assert "-> It runs kimi-mcp 9.9.9, this machine" in shown
    assert shown.count("->") == 1


@pytest.mark.usefixtures("abroad")
def test_a_wrong_token_is_refused_within_the_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "token"
    wrong.write_text("0" * 32, encoding="ascii")
    monkeypatch.setenv("KIMI_MCP_CLUSTER_TOKEN_FILE", str(wrong))
    monkeypatch.setattr(nodes, "PATIENCE_S", 5.0)

    assert main(["cluster"]) == 2

    assert "does not let us in within 5 s" in capsys.readouterr().err


def test_an_address_at_which_nobody_answers_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    token = tmp_path / "token"
    token.write_text("0" * 32, encoding="ascii")
    monkeypatch.setenv("KIMI_MCP_CLUSTER_ADDRESS", "127.0.0.1:1")
    monkeypatch.setenv("KIMI_MCP_CLUSTER_TOKEN_FILE", str(token))

    assert main(["cluster"]) == 2

    assert "Nobody answers at 127.0.0.1:1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["join"], "Which cluster?"), (["join", "head:6379"], "--token-file FILE")],
)
def test_joining_says_what_is_missing(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cluster", *arguments]) == 2

    assert told in capsys.readouterr().err


def test_without_the_extra_the_line_that_installs_it_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cluster, "is_installed", lambda: False)

    assert main(["cluster"]) == 2

    assert "pip install 'kimi-mcp[ray]'" in capsys.readouterr().err


def test_the_heads_token_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    file = cluster.token_file(StateFolder(tmp_path))
    token = file.read_text(encoding="ascii")

    assert cluster.token_file(StateFolder(tmp_path)) == file
    assert file.read_text(encoding="ascii") == token
    assert len(token) == 64
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_node_is_told_with_what_is_free_and_what_does_not_fit() -> None:
    fit = told({})
    unfit = told({"kimi_mcp": "0.0.9", "is_guarded": False, "kimi": None, "trouble": "No Kimi."})
    head = told({"slots": 0, "attempts": [], "kimi": None, "trouble": "No Kimi."})

    assert "attic  192.0.2.7  3 of 4 slots free" in fit
    assert "at work: 001-login-7k3f-task-1-a1" in fit
    assert "->" not in fit
    assert f"-> It runs kimi-mcp 0.0.9, this machine {__version__}: no task is sent there." in unfit
    assert "-> It asks nobody for a token" in unfit
    assert "-> No Kimi. `kimi-mcp doctor` there says more." in unfit
    assert "Kimi: none" in unfit
    assert "no slots (the head)" in head
    assert "->" not in head


def test_a_cluster_without_a_token_is_fine_for_who_allowed_it() -> None:
    assert "->" not in "\n".join(
        nodes.lines_of({**NODE, "is_guarded": False}, is_open_allowed=True)
    )


def told(changed: Mapping[str, Any]) -> str:
    return "\n".join(nodes.lines_of({**NODE, **changed}, is_open_allowed=False))


def test_a_token_is_on_no_command_line_and_only_its_file_in_the_environment() -> None:
    join = join_command(
        "head:1", name="attic", host=None, slots=4, labels={"disk": "fast"}, agents=[1, 2, 3, 4]
    )
    head = head_command(name="h", host="::1", port=1, agents=[1, 2, 3, 4], temporary=Path("/t"))
    env = environment({"PATH": "/bin"}, name="attic", token_file=Path("/token"))

    assert f"--labels=disk=fast,kimi-mcp={__version__}" in join
    assert '--resources={"kimi": 4}' in join
    assert '--resources={"kimi": 0}' in head
    assert not any("token" in part for part in [*join, *head])
    assert env["RAY_AUTH_TOKEN_PATH"] == "/token"
    assert env["RAY_AUTH_MODE"] == "token"
    assert environment({}, name="attic", token_file=None).get("RAY_AUTH_MODE") is None


def test_how_nice_work_on_a_node_is_may_be_said_in_its_environment() -> None:
    named = "RAY_worker_niceness"
    assert environment({}, name="attic", token_file=None)[named] == "0"
    assert environment({named: "7"}, name="attic", token_file=None)[named] == "7"
