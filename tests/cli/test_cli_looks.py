"""`history` and `show` as a person sees them, in real terminals of 80 and 140 columns."""

import os
import re
import sys
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from harvest import Work, harvested
from kimi_mcp.lifecycle import Outcome
from sandbox import Sandbox
from terminal import Terminal

ROOT = Path(__file__).parents[2]
WORKS = (
    Work(files={"one.py": "print(1)\n"}),
    Work(files={"two.py": "print(2)\n", "README.md": None}, needs=(1,), is_checked=False),
    Work(files={"app.py": "broken\n"}, outcome=Outcome.CHECKS_FAILED),
)


@pytest.fixture
def screens(tmp_path: Path) -> Path:
    return tmp_path / "screens"


async def screen_of(folder: Path, cwd: Path, columns: int, *words: str, **env: str) -> str:
    """Run `kimi-mcp` in a terminal to its end; what differs from run to run is made equal."""
    told = {
        **{name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}},
        "PYTHONPATH": str(ROOT),
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "PAGER": "cat",
        "HOME": str(cwd.parent),
        **env,
    }
    argv = [sys.executable, "-m", "kimi_mcp", *words]
    with Terminal(folder, argv, cwd=cwd, env=told, columns=columns, rows=40) as terminal:
        await terminal.is_over()
        screen = terminal.everything()
    screen = re.sub(r"\n+Pane is dead.*", "", screen)
    screen = re.sub(
        r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", lambda m: "2026-01-02 12:00:00"[: len(m[0])], screen
    )
    return re.sub(r"\b[0-9a-f]{7}\b", "c0ffee0", screen)


@pytest.mark.parametrize("columns", [80, 140])
async def test_the_history_keeps_ids_whole_and_drops_what_does_not_fit(
    sandbox: Sandbox, screens: Path, columns: int
) -> None:
    harvested(sandbox, *WORKS)
    harvested(sandbox, WORKS[0], token="aaaa")

    screen = await screen_of(screens, sandbox.root, columns, "history")

    assert (
        screen
        == {
            80: snapshot("""\
dispatch            state     delivered         steps  started (UTC)
001-add-login-aaaa  finished  1/1                   6  2026-01-02 12:00
001-add-login-7k3f  finished  2/3, 1 UNCHECKED     18  2026-01-02 12:00
One of them: `kimi-mcp show 001-add-login-aaaa`.\
"""),
            140: snapshot("""\
dispatch            state     delivered         steps  started (UTC)     repository
001-add-login-aaaa  finished  1/1                   6  2026-01-02 12:00  ~/project
001-add-login-7k3f  finished  2/3, 1 UNCHECKED     18  2026-01-02 12:00  ~/project
One of them: `kimi-mcp show 001-add-login-aaaa`.\
"""),
        }[columns]
    )


async def test_a_diff_is_coloured_and_whole_and_goes_through_the_pager(
    sandbox: Sandbox, screens: Path, tmp_path: Path
) -> None:
    harvest = harvested(sandbox, *WORKS)
    paged = tmp_path / "paged.txt"
    pager = tmp_path / "pager"
    pager.write_text(f"#!/bin/sh\ntee {paged}\n", encoding="utf-8")
    pager.chmod(0o755)

    screen = await screen_of(
        screens, sandbox.root, 80, "show", "--view", "diff", "--task", "2", PAGER=str(pager)
    )

    assert screen == snapshot("""\
001-add-login-7k3f: 2 of 3 delivered, 1 of them UNCHECKED, 1 checks_failed · 18
steps
Task 2 (delivered), kimi/001-add-login-7k3f/task-2:
diff --git a/README.md b/README.md
deleted file mode 100644
index c0ffee0..c0ffee0
--- a/README.md
+++ /dev/null
@@ -1 +0,0 @@
-# A project
diff --git a/two.py b/two.py
new file mode 100644
index c0ffee0..c0ffee0
--- /dev/null
+++ b/two.py
@@ -0,0 +1 @@
+print(2)\
""")
    sent = paged.read_text(encoding="utf-8")
    assert "\x1b[32m+print(2)" in sent
    assert "\x1b[31m-# A project" in sent
    assert harvest.id in sent


async def test_what_kimi_wrote_stands_behind_a_margin_for_a_person(
    sandbox: Sandbox, screens: Path
) -> None:
    harvested(sandbox, WORKS[0])

    shown = await screen_of(screens, sandbox.root, 80, "show")
    plain = await screen_of(screens, sandbox.root, 80, "show", LC_ALL="C")

    assert "\n  │ +print(1)\n" in shown
    assert "<data-" not in shown
    assert "\n  | +print(1)\n" in plain
    assert plain.isascii()


@pytest.mark.parametrize("view", ["checks", "diff"])
async def test_a_person_is_not_reminded_of_what_only_a_model_forgets(
    sandbox: Sandbox, screens: Path, view: str
) -> None:
    harvested(sandbox, WORKS[0])

    assert "instructions" not in await screen_of(screens, sandbox.root, 80, "show", "--view", view)


async def test_without_colour_nothing_is_coloured(
    sandbox: Sandbox, screens: Path, tmp_path: Path
) -> None:
    harvested(sandbox, *WORKS)
    paged = tmp_path / "paged.txt"
    pager = tmp_path / "pager"
    pager.write_text(f"#!/bin/sh\ntee {paged}\n", encoding="utf-8")
    pager.chmod(0o755)

    await screen_of(
        screens, sandbox.root, 80, "show", "--view", "diff", PAGER=str(pager), NO_COLOR="1"
    )

    assert not re.search(r"\x1b\[3\dm", paged.read_text(encoding="utf-8"))


async def test_a_program_of_kimis_cannot_steer_the_terminal(
    sandbox: Sandbox, screens: Path, tmp_path: Path
) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J[bold]markup[/bold]\u202e\n"
    harvested(sandbox, Work(files={"evil.txt": evil}))
    paged = tmp_path / "paged.txt"
    pager = tmp_path / "pager"
    pager.write_text(f"#!/bin/sh\ntee {paged}\n", encoding="utf-8")
    pager.chmod(0o755)

    await screen_of(screens, sandbox.root, 80, "show", "--view", "diff", PAGER=str(pager))

    sent = paged.read_text(encoding="utf-8")
    assert "[bold]markup[/bold]\\u202e" in sent
    assert "owned" not in sent
    assert "\x1b[2J" not in sent


@pytest.mark.parametrize("words", [("profile",), ("quota",)])
async def test_pages_are_drawn_for_a_person(
    sandbox: Sandbox, screens: Path, words: tuple[str, ...]
) -> None:
    screen = await screen_of(screens, sandbox.root, 80, *words)

    assert "|" not in screen
    assert "```" not in screen
    assert {"profile": "loop_control.max_steps_per_turn", "quota": "Steps a day (UTC):"}[
        words[0]
    ] in screen


@pytest.fixture
def open_state() -> Path:
    """The state folder, readable by others."""
    state = Path(os.environ["KIMI_MCP_HOME"])
    state.mkdir(exist_ok=True)
    state.chmod(0o755)
    return state


async def test_what_was_repaired_is_said_in_a_sentence(
    sandbox: Sandbox, screens: Path, open_state: Path
) -> None:
    screen = await screen_of(screens, sandbox.root, 200, "history")

    assert f"kimi-mcp: state repaired: closed {open_state} to others; its mode was 755" in screen
    assert "level=" not in screen


async def test_the_server_says_to_a_person_what_it_is(sandbox: Sandbox, screens: Path) -> None:
    argv = [sys.executable, "-m", "kimi_mcp"]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "LANG": "C.UTF-8"}

    with Terminal(screens, argv, cwd=sandbox.root, env=env, columns=80) as terminal:
        screen = await terminal.shows("--help")
        terminal.press("C-c")
        await terminal.is_over()

    assert "serves MCP on stdin and stdout, as Claude Code starts it. Ctrl-C ends" in screen


async def test_a_pager_is_sent_letters_that_the_terminal_can_show(
    sandbox: Sandbox, screens: Path
) -> None:
    harvested(sandbox, WORKS[0])

    screen = await screen_of(
        screens, sandbox.root, 80, "show", "--view", "transcript", LANG="C", LC_ALL="C"
    )

    assert "1 of 1 delivered - 6 steps" in screen
    assert "- check `pytest -q`: exit code 0" in screen
    assert "?" not in screen
