"""`kimi-mcp setup`: everything that Claude Code needs, shown first, and undone to the byte."""

import argparse
import sys
from pathlib import Path

from kimi_mcp.claude.arrangement import Arrangement
from kimi_mcp.claude.client import Client
from kimi_mcp.claude.installing import install, uninstall
from kimi_mcp.claude.packaged import own_command
from kimi_mcp.claude.places import Places, Scope
from kimi_mcp.claude.receipt import Receipt
from kimi_mcp.claude.unwanted import unarrange
from kimi_mcp.claude.wanted import Wish, arrange
from kimi_mcp.cli.printing import say_change
from kimi_mcp.cli.telling import tell
from kimi_mcp.cli.waiting import timing
from kimi_mcp.errors import KimiUnusable, Refused
from kimi_mcp.kimi.detect import detect_kimi, find_kimi
from kimi_mcp.kimi.install import install_kimi_code
from kimi_mcp.state import StateFolder


def setup(arguments: argparse.Namespace) -> int:
    """Set Claude Code up, or undo it."""
    places = Places.of(Scope(arguments.scope), folder=Path.cwd())
    client = Client.find()
    receipt = Receipt.of(places)
    lacks_kimi = False
    if arguments.remove:
        arrangement = unarrange(places, receipt, has_client=client is not None)
    else:
        tell(f"Claude Code {client.version()}, {client.program}" if client else _NO_CLIENT)
        lacks_kimi = _lacks_kimi(is_wanted=arguments.kimi)
        wish = Wish(
            has_client=client is not None,
            is_plugin=not arguments.no_plugin,
            is_allowing=not arguments.no_allow,
            command=own_command(),
        )
        arrangement = arrange(places, wish, receipt)
        if lacks_kimi:
            arrangement.notes.append(f"Installs Kimi Code into {StateFolder.named().kimi_install}.")
    if not _agreed(arrangement, arguments, has_more=lacks_kimi):
        return 0
    if lacks_kimi:
        _install_kimi()
    if arguments.remove:
        uninstall(places, arrangement, receipt, client)
        print("Removed. Restart Claude Code.")
    else:
        install(places, arrangement, receipt, client)
        print("Done. Restart Claude Code; `kimi-mcp doctor` looks at all of it.")
    return 0


_NO_CLIENT = "No Claude Code found: no `claude` on PATH. Its files are written all the same."
_NOTHING = "Nothing to do: everything is as it should be."


def _lacks_kimi(*, is_wanted: bool) -> bool:
    """Say which Kimi there is; tell whether one is to be installed."""
    state = StateFolder.locate()
    try:
        kimi = detect_kimi(state)
    except KimiUnusable as error:
        tell(str(error))
        return is_wanted
    tell(f"Kimi {kimi.version}, {kimi.executable}")
    return False


def _install_kimi() -> None:
    state = StateFolder.locate()
    with timing() as begin:
        main = install_kimi_code(state.kimi_install, say=begin)
    print(f"Kimi Code is installed: {main}")
    try:
        is_found = find_kimi(state) == main
    except KimiUnusable:
        is_found = False
    if not is_found:
        tell(f"Another one is named before it: set KIMI_MCP_KIMI={main}")


def _agreed(arrangement: Arrangement, arguments: argparse.Namespace, *, has_more: bool) -> bool:
    """Show what would be done, and ask, once."""
    for change in arrangement.lines():
        say_change(change)
    for note in arrangement.notes:
        tell(f"- {note}")
    if arrangement.is_nothing and not has_more:
        print(_NOTHING)
        return False
    if not arrangement.is_nothing:
        tell(f"In all: {arrangement.total}.")
    if arguments.dry_run:
        print("Nothing was changed (dry run).")
        return False
    if arguments.yes:
        return True
    if not sys.stdin.isatty():
        raise Refused("Nobody can answer here. Nothing was changed; give --yes or --dry-run.")
    print("Do this? [y/N] ", end="", flush=True)
    is_agreed = sys.stdin.readline().strip().lower() in {"y", "yes"}
    if not is_agreed:
        print("Nothing was changed.")
    return is_agreed
