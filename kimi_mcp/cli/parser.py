"""The command line as argparse knows it: how help looks, and what it says before the commands."""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from typing import NoReturn

from kimi_mcp import __version__
from kimi_mcp.cli import verbs
from kimi_mcp.cli.verbs import Add

REFUSED = 2  # also argparse's own exit code
_ABOUT = """\
Claude Code plans and reviews, Kimi implements. Without a command: serve.
"""
_FIRST_STEPS = """\
first steps:
  kimi-mcp demo               see the whole loop, without any account
  kimi-mcp doctor             is everything here that it needs?
  kimi-mcp setup              register with Claude Code
  kimi-mcp spec plan.md       by hand: a plan becomes a spec,
  kimi-mcp dispatch 1         Kimi carries it out,
  kimi-mcp show --view diff   you review it,
  kimi-mcp land ID apply      and take it into your checkout, uncommitted

`kimi-mcp COMMAND --help` has examples.

exit codes:
  0  delivered, or done
  1  not delivered
  2  refused: wrong usage, or something is in the way; the message says what now
  3  a bug of ours, with a file to send
"""


class _Help(argparse.RawDescriptionHelpFormatter):
    """Lays examples out as written, and has room for the longest command before its sentence."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog)
        self._action_max_length = _LONGEST_COMMAND


class _Parser(argparse.ArgumentParser):
    """Says what is wrong beside the usage of the command that was meant, and where to read on."""

    def error(self, message: str) -> NoReturn:
        """Tell what is wrong, and leave."""
        from kimi_mcp.cli.telling import tell  # noqa: PLC0415  the server's start needs none of it

        self.print_usage(sys.stderr)
        tell(f"{self.prog}: {message}. See `{self.prog} --help`.", file=sys.stderr)
        self.exit(REFUSED)


class _Command(_Parser):
    """Refuses what it does not know itself; argparse leaves that to the whole program's usage."""

    def parse_known_args(  # pyright: ignore[reportIncompatibleMethodOverride]  as it is called
        self, args: Sequence[str] | None = None, namespace: None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Read the arguments of this command, all of which it must know."""
        known, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return known, unknown


_LONGEST_COMMAND = 14  # with its indent, which argparse 3.11 forgets


def parser() -> argparse.ArgumentParser:
    """Build the whole command line: commands, options, their help and examples."""
    top = _Parser(
        prog="kimi-mcp",
        description=_ABOUT,
        epilog=_FIRST_STEPS,
        formatter_class=_Help,
    )
    top.add_argument("--version", action="version", version=f"kimi-mcp {__version__}")
    top.set_defaults(verb="serve")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", parser_class=_Command)
    add = partial(_add, commands.add_parser)
    add("serve", "the MCP server over stdin and stdout")
    verbs.place_in_claude(add)
    verbs.work(add)
    verbs.results(add)
    verbs.account(add)
    verbs.machines(add)
    verbs.shell(add)
    return top


def _add(make: Add, verb: str, sentence: str, *examples: str) -> argparse.ArgumentParser:
    """Add a command; each example is a line after `kimi-mcp`."""
    made = make(
        verb,
        help=sentence,
        description=f"{sentence[0].upper()}{sentence[1:]}.",
        epilog="\n".join(["examples:", *(f"  kimi-mcp {one}" for one in examples)])
        if examples
        else None,
        formatter_class=_Help,
    )
    made.set_defaults(verb=verb)
    return made
