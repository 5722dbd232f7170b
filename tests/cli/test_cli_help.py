"""`--help` teaches: each argument has words, each example works, each line fits."""

import argparse
import os
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator

import pytest
from inline_snapshot import snapshot

from kimi_mcp.cli.parser import REFUSED, parser

Run = Callable[..., subprocess.CompletedProcess[str]]
WIDE = 80


def commands() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    chosen = next(action.choices for action in parser()._actions if action.choices)
    assert isinstance(chosen, dict)
    yield from chosen.items()


def examples() -> Iterator[str]:
    for _, command in commands():
        for line in (command.epilog or "").splitlines():
            if line.startswith("  kimi-mcp "):
                yield re.split(r"\s{2,}| [>|] ", line.strip())[0]


def test_every_argument_says_what_it_is_for() -> None:
    silent = [
        f"{name} {action.dest}"
        for name, command in commands()
        for action in command._actions
        if not action.help
    ]

    assert silent == []


@pytest.mark.parametrize("example", [*examples()])
def test_every_example_is_understood(example: str) -> None:
    _, *words = shlex.split(example.replace("ID", "001-x-7k3f"))

    assert parser().parse_args(words).verb == words[0]


def test_every_line_of_help_fits_into_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "COLUMNS", str(WIDE))
    texts = [parser().format_help(), *(command.format_help() for _, command in commands())]

    assert [line for text in texts for line in text.splitlines() if len(line) > WIDE] == []
    assert len([*examples()]) > 20


def test_help_names_the_exit_codes_that_there_are(kimi_mcp: Run) -> None:
    told = kimi_mcp("--help").stdout

    assert re.findall(r"^  (\d)  ", told.split("exit codes:")[1], re.MULTILINE) == list("0123")


def test_an_option_that_is_not_known_is_told_with_the_usage_of_its_command(kimi_mcp: Run) -> None:
    refused = kimi_mcp("stop", "001-a-7k3f", "--tasks", "1")

    assert refused.returncode == REFUSED
    assert refused.stderr == snapshot("""\
usage: kimi-mcp stop [-h] ID
kimi-mcp stop: unrecognized arguments: --tasks 1. See `kimi-mcp stop --help`.
""")
