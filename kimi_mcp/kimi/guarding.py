"""Having Kimi ask `guard` before it runs a command or writes a file.

Measured on two slow cores: Python needs 14 ms to start and Node 23, so both are spared where a look
at the call's text shows nothing: then a call costs 2 ms. Reading tools have no hook at all.
"""

import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kimi_mcp.kimi import guard
from kimi_mcp.kimi.dialect import Dialect
from kimi_mcp.processes.toolchains import program_folders

SCRIPT = Path(guard.__file__)
#: What must be readable for it.
FILES = (str(SCRIPT), *program_folders(Path(sys.executable)))
TIMEOUT_S = 10
#: What a path that leads out of the working folder begins with, or has in it.
_OUTWARD = ('"path":"/', '"path":"~', '"path": "/', '"path": "~', "../")


def hooks(
    dialect: Dialect, *, writable: Sequence[str], python: str = sys.executable
) -> tuple[Mapping[str, Any], ...]:
    """Return the entries of `[[hooks]]` that put the guard before Kimi's shell and file tools.

    Args:
        dialect: whose tools.
        writable: absolute folders in which files may be written; the first one is the clone.
        python: the Python that runs the guard.
    """
    suspicious = "|".join(f"*{shlex.quote(text)}*" for text in (*guard.HINTS, *_OUTWARD))
    judge = shlex.join([python, "-I", "-S", str(SCRIPT), *writable])
    return (
        {
            "event": "PreToolUse",
            "matcher": f"^({'|'.join(sorted(dialect.guarded_tools))})$",
            "command": (
                f'call=$(cat); case $call in {suspicious}) printf %s "$call" | {judge}; '
                f"[ $? -ne {guard.REFUSED} ] || exit 2;; esac; exit 0"
            ),
            "timeout": TIMEOUT_S,
        },
    )
