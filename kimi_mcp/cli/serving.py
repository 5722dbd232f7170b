"""The one command that loads the protocol, and nothing of the others."""

import argparse
import gc
import sys

_TO_A_PERSON = (
    "kimi-mcp: serves MCP on stdin and stdout, as Claude Code starts it. Ctrl-C ends it; "
    "`kimi-mcp --help` has the commands for people."
)


def serve(_: argparse.Namespace) -> int:
    """Serve MCP over stdin and stdout until the client closes them."""
    gc.disable()  # all that is loaded stays; looking for garbage in it takes a tenth of the start
    from kimi_mcp.server.app import serve as run_server  # noqa: PLC0415  after the line above

    gc.freeze()
    gc.enable()
    if sys.stdin.isatty():
        from kimi_mcp.cli.telling import tell  # noqa: PLC0415  only a person waits for it

        tell(_TO_A_PERSON, file=sys.stderr)
    run_server()
    return 0
