"""The `kimi-mcp` command: parses, routes, and turns every end into an exit code.

0 delivered or done, 1 not delivered, 2 refused (usage or state), 3 our bug (with a file to send).
The server's import costs 0.6 s, so only `serve` loads it.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from types import ModuleType

from kimi_mcp.cli import letters
from kimi_mcp.cli.parser import REFUSED, parser
from kimi_mcp.errors import KimiMcpError
from kimi_mcp.state import StateFolder

OUR_BUG = 3
INTERRUPTED = 130

_ROOMS = {
    "serve": "serving",
    "show": "looking_back",
    "history": "looking_back",
    "land": "landing",
    "clean": "landing",
    "completion": "completion",
    "cluster": "cluster",
    "doctor": "doctor",
    "hook": "hook",
    "setup": "setup",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        letters.fit(stream, os.environ)
    arguments = parser().parse_args(argv)
    try:
        code = _command(arguments.verb)(arguments)
        sys.stdout.flush()  # not at the interpreter's end, where a gone reader is an error
    except KimiMcpError as error:
        _tell(f"kimi-mcp: {error}")
        return REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # the reader of our output has seen enough, as in `kimi-mcp history | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # noqa: BLE001  the outermost handler: a bug becomes a file to send
        file = _log().keep_bug(StateFolder.locate().root, error)
        _tell(f"kimi-mcp: this is a bug of ours. Please send {file}")
        return OUR_BUG
    return code


def _tell(text: str) -> None:
    from kimi_mcp.cli.telling import tell  # noqa: PLC0415  as the log

    tell(_log().discreet(text), file=sys.stderr)


def _log() -> ModuleType:
    """Load what only an error needs; a hook and the server's first answer are waited for."""
    return importlib.import_module("kimi_mcp.log")


def _command(verb: str) -> Callable[[argparse.Namespace], int]:
    """Load what one command needs; the server's first answer must not wait for the others."""
    room = _ROOMS.get(verb, "commands")
    return getattr(importlib.import_module(f"kimi_mcp.cli.{room}"), verb)
