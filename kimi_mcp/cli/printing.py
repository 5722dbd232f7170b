"""Where the output goes: to a person at a terminal, or as text or JSON to a program."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import replace

from kimi_mcp.cli.phrasing import for_terminal
from kimi_mcp.cli.telling import columns, tell
from kimi_mcp.dispatch.workbench import Workbench
from kimi_mcp.quoting.envelope import Margin
from kimi_mcp.review.values import redacted


def is_terminal() -> bool:
    """Tell whether a person reads what is printed."""
    return sys.stdout.isatty()


def opened(environ: Mapping[str, str] = os.environ) -> Workbench:
    """Open the workbench, for a person or a program.

    Raises:
        StoreUnusable: the history is newer than this version, or unreadable.
    """
    bench = Workbench.open(environ)
    return replace(bench, envelope=Margin.fresh) if is_terminal() else bench


def say(bench: Workbench, text: str) -> None:
    """Print a text of ours in which others have words, without the secrets in it."""
    tell(bench.redact(text))


def say_page(bench: Workbench, text: str) -> None:
    """Print a text in Markdown; a person gets it drawn."""
    if is_terminal():
        from kimi_mcp.cli.drawing import draw, page  # noqa: PLC0415  it loads rich

        draw(page(for_terminal(bench.redact(text)), columns=columns()))
    else:
        say(bench, text)


def say_change(text: str) -> None:
    """Print a change of a file as it is; a person gets its lines coloured and broken at words."""
    if is_terminal():
        from kimi_mcp.cli.drawing import diff, draw  # noqa: PLC0415  it loads rich

        draw(diff(text))
    else:
        print(text)


def say_json(bench: Workbench, value: object) -> None:
    """Print *value* for a script, without the secrets in it."""
    plain = redacted(value, bench.redact)
    print(json.dumps(plain, ensure_ascii=False, indent=2), flush=True)
