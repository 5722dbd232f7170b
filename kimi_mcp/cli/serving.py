"""The one command that loads the protocol, and nothing of the others."""

import argparse

from kimi_mcp.server.app import serve as run_server


def serve(_: argparse.Namespace) -> int:
    """Serve MCP over stdin and stdout until the client closes them."""
    run_server()
    return 0
