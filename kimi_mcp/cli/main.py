"""The `kimi-mcp` command: parses, routes, and turns every end into an exit code.

0 delivered or done, 1 not delivered, 2 refused (usage or state), 3 our bug (with a file to send).
The server's import costs 0.6 s, so only `serve` loads it.
"""

import argparse
import importlib
import os
import platform
import sys
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from kimi_mcp import __version__
from kimi_mcp.errors import KimiMcpError
from kimi_mcp.review.view import View
from kimi_mcp.state import StateFolder

REFUSED = 2
OUR_BUG = 3
INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    arguments = parser().parse_args(argv)
    try:
        code = _command(arguments.verb)(arguments)
        sys.stdout.flush()  # not at the interpreter's end, where a gone reader is an error
    except KimiMcpError as error:
        print(f"kimi-mcp: {error}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # the reader of our output has seen enough, as in `kimi-mcp history | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception:  # noqa: BLE001  the outermost handler: a bug becomes a file to send
        print(f"kimi-mcp: this is a bug of ours. Please send {_bug_file()}", file=sys.stderr)
        return OUR_BUG
    return code


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    top = argparse.ArgumentParser(
        prog="kimi-mcp",
        description="Claude Code plans and reviews, Kimi implements. Without a command: serve.",
    )
    top.add_argument("--version", action="version", version=f"kimi-mcp {__version__}")
    top.set_defaults(verb="serve")
    verbs = top.add_subparsers(title="commands", metavar="COMMAND")

    verbs.add_parser("serve", help="the MCP server over stdin and stdout").set_defaults(
        verb="serve"
    )
    demo = verbs.add_parser(
        "demo", help="the whole loop on a scratch repository, no account needed"
    )
    demo.add_argument(
        "--real", action="store_true", help="use your own Kimi and login (costs steps)"
    )
    demo.set_defaults(verb="demo")

    doctor = verbs.add_parser("doctor", help="check every link of the chain")
    doctor.set_defaults(verb="doctor")

    spec = verbs.add_parser("spec", help="turn a plan into a spec")
    spec.add_argument("plan", metavar="PLAN", help="a Markdown file")
    spec.add_argument("--dry-run", action="store_true", help="write nothing")
    spec.set_defaults(verb="spec")

    dispatch = verbs.add_parser("dispatch", help="let Kimi carry out a spec, and follow it")
    dispatch.add_argument("spec", metavar="SPEC", help="number or path")
    dispatch.add_argument("--tasks", metavar="N,N", help="only these task numbers")
    dispatch.add_argument("--profile", help="moderato, swarm or one of your own")
    dispatch.add_argument("--base", metavar="COMMIT", help="start from this commit (default HEAD)")
    dispatch.add_argument("--background", action="store_true", help="return at once")
    dispatch.add_argument("--dry-run", action="store_true", help="check only; nothing runs")
    dispatch.set_defaults(verb="dispatch")

    resume = verbs.add_parser("resume", help="continue what was interrupted, and follow it")
    resume.add_argument("dispatch", metavar="ID")
    resume.add_argument("--tasks", metavar="N,N", help="only these task numbers")
    resume.set_defaults(verb="resume")

    revise = verbs.add_parser(
        "revise", help="have a task worked on again, or (without --feedback) judged again"
    )
    revise.add_argument("dispatch", metavar="ID")
    revise.add_argument("task", type=int, metavar="N")
    revise.add_argument("--feedback", metavar="WORDS", help="Kimi's session goes on with them")
    revise.add_argument("--allow", action="append", default=[], metavar="PATH")
    revise.add_argument("--drop", action="append", default=[], metavar="PATH")
    revise.add_argument("--check", action="append", metavar="COMMAND", help="instead of the task's")
    revise.set_defaults(verb="revise")

    show = verbs.add_parser("show", help="what came of a dispatch, or how it stands")
    show.add_argument("dispatch", metavar="ID", nargs="?", help="default: the latest one")
    show.add_argument("--task", type=int, metavar="N")
    show.add_argument("--view", choices=[*map(str, View)], default="summary")
    show.set_defaults(verb="show")

    history = verbs.add_parser("history", help="the dispatches, newest first")
    history.add_argument("--before", metavar="ID", help="the page before this dispatch")
    history.set_defaults(verb="history")

    stop = verbs.add_parser("stop", help="stop Kimi and all it started; the work is kept")
    stop.add_argument("dispatch", metavar="ID")
    stop.set_defaults(verb="stop")

    for verb in verbs.choices.values():
        if verb.prog.split()[-1] in {"spec", "dispatch"}:
            verb.add_argument("--repo", metavar="DIR", help="default: around the current folder")
    return top


def _command(verb: str) -> Callable[[argparse.Namespace], int]:
    """Load what one command needs; the server's first answer must not wait for the others."""
    room = "kimi_mcp.cli.serving" if verb == "serve" else "kimi_mcp.cli.commands"
    return getattr(importlib.import_module(room), verb)


def _bug_file() -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    file = StateFolder.locate().root / f"bug-{stamp}.txt"
    about = f"kimi-mcp {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
    file.write_text(about + traceback.format_exc(), encoding="utf-8")
    return file
