"""What Claude Code calls: `kimi-mcp hook plan-approved`, an event on stdin, an answer on stdout.

Exit code 0 whatever was given: Claude Code shows anything else to the user or to the model.
"""

import argparse
import json
import sys

from kimi_mcp.claude.approval import answer

MOST_BYTES = 20_000_000


def hook(_: argparse.Namespace) -> int:
    """Read one event of Claude Code's as JSON and print the answer, if any; never fail."""
    try:
        event: object = json.loads(sys.stdin.buffer.read(MOST_BYTES))
    except (ValueError, RecursionError):
        return 0
    said = answer(event)
    if said is not None:
        print(json.dumps(said))
    return 0
