"""Our sentences for whoever reads: at a terminal in lines that it need not break."""

import shutil
import sys
from typing import TextIO

from kimi_mcp.cli.phrasing import for_terminal
from kimi_mcp.cli.wrapping import wrapped


def tell(text: str, *, file: TextIO | None = None) -> None:
    """Print a text of ours that holds no secret, to stdout unless *file* is another stream."""
    stream: TextIO = sys.stdout if file is None else file
    told = for_terminal(text)
    print(wrapped(told, columns()) if stream.isatty() else told, file=stream, flush=True)


def columns() -> int:
    """Say how wide the terminal is."""
    return shutil.get_terminal_size().columns
