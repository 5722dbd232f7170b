"""`kimi-mcp completion`: what a shell offers, asked of the shell itself."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harvest import Work, harvested
from sandbox import Sandbox
from terminal import Terminal

Run = Callable[..., subprocess.CompletedProcess[str]]
WriteScript = Callable[[str], Path]
ZSHRC = """\
fpath=($ZDOTDIR $fpath)
autoload -U compinit && compinit -u -D
bindkey '^I' complete-word
PS1='ready> '
"""


@pytest.fixture
def write_script(kimi_mcp: Run, tmp_path: Path) -> WriteScript:
    """Return the function that writes a shell's script to a file."""

    def write(shell: str) -> Path:
        done = kimi_mcp("completion", shell)
        assert (done.returncode, done.stderr) == (0, "")
        file = tmp_path / f"kimi-mcp.{shell}"
        file.write_text(done.stdout, encoding="utf-8")
        return file

    return write


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["sh"], ["show"]),
        (["land", "001-x-7k3f", "apply", "--t"], ["--tasks"]),
        (["land", "001-x-7k3f", "sq"], ["squash"]),
        (["history", "--state", "la"], []),
        (["history", "--state", "lo"], ["lost"]),
        (["show", "--view", "t"], ["timeline", "transcript"]),
    ],
)
def test_bash_completes_commands_options_and_choices(
    write_script: WriteScript, words: list[str], expected: list[str]
) -> None:
    assert offered(write_script("bash"), words) == expected


def test_bash_completes_the_ids_of_dispatches(write_script: WriteScript, sandbox: Sandbox) -> None:
    harvest = harvested(sandbox, Work(files={"one.py": "1\n"}))

    assert offered(write_script("bash"), ["show", "001-"]) == [harvest.id]


def test_fish_completes_commands_options_choices_and_ids(
    write_script: WriteScript, sandbox: Sandbox
) -> None:
    harvest = harvested(sandbox, Work(files={"one.py": "1\n"}))
    file = write_script("fish")
    asked = {
        "kimi-mcp sh": ["show"],
        "kimi-mcp show --ta": ["--task"],
        "kimi-mcp show --view t": ["timeline", "transcript"],
        "kimi-mcp land 001-x-7k3f sq": ["squash"],
        "kimi-mcp land 001-": [harvest.id],
    }
    questions = [f"complete -C '{line}' | cut -f 1 | sort | tr '\\n' ' '" for line in asked]

    done = subprocess.run(
        ["fish", "--no-config", "-c", f"source {file}; {'; echo; '.join(questions)}"],
        env=installed(),
        capture_output=True,
        text=True,
        check=True,
    )

    assert [line.split() for line in done.stdout.split("\n")] == [*asked.values()]


@pytest.fixture
def zsh_folder(write_script: WriteScript, tmp_path: Path) -> Path:
    """Where zsh finds its settings, and the script in its fpath."""
    folder = tmp_path / "zsh"
    folder.mkdir()
    write_script("zsh").rename(folder / "_kimi-mcp")
    (folder / ".zshrc").write_text(ZSHRC, encoding="utf-8")
    return folder


async def test_zsh_completes_commands_options_choices_and_ids(
    sandbox: Sandbox, zsh_folder: Path, tmp_path: Path
) -> None:
    harvest = harvested(sandbox, Work(files={"one.py": "1\n"}))
    env = {**installed(), "ZDOTDIR": str(zsh_folder), "TERM": "xterm-256color", "LANG": "C.UTF-8"}

    with Terminal(tmp_path / "screens", ["zsh", "-d", "-i"], cwd=tmp_path, env=env) as terminal:
        await terminal.shows("ready>")
        for typed, whole in {
            "sh": "show",
            "show --ta": "show --task",
            "history --state lo": "history --state lost",
            "land 001-x-7k3f sq": "land 001-x-7k3f squash",
            "land 001-": f"land {harvest.id}",
        }.items():
            terminal.press("C-u", "C-l", f"kimi-mcp {typed}", "Tab")
            await terminal.shows(rf"ready> kimi-mcp {whole}\s*$")


def offered(script: Path, words: list[str]) -> list[str]:
    """Return what bash would offer for the last of *words*, sorted."""
    line = f"COMP_WORDS=(kimi-mcp {' '.join(words)}); COMP_CWORD={len(words)}"
    done = subprocess.run(
        ["bash", "--norc", "-c", f'. {script}; {line}; _shtab_kimi_mcp; echo "${{COMPREPLY[@]}}"'],
        env=installed(),
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(done.stdout.split())


def installed() -> dict[str, str]:
    """Return the environment of a shell that finds `kimi-mcp`."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
