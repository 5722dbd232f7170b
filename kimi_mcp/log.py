"""Logging: key-value lines on stderr, or sentences where that is a terminal.

Never on stdout, which belongs to the protocol. Event names are `noun.verb`. Prompts, specs,
environments and configuration values are never logged; of what else is told here secrets are taken
out.
The library is loaded at the first event: it costs a tenth of the server's start.
"""

import os
import platform
import sys
import traceback
from collections.abc import MutableMapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from kimi_mcp import __version__
from kimi_mcp.quoting.secrets import Redactor, secrets_of


def note(event: str, **fields: str | float | None) -> None:
    """Log that *event* happened, with its facts in *fields*."""
    _logger().info(event, **fields)


def keep_bug(folder: Path, error: BaseException) -> Path:
    """Write what is known of a bug of ours into *folder*, and return the file to send."""
    file = folder / f"bug-{datetime.now(UTC):%Y%m%dT%H%M%S%f}.txt"
    about = f"kimi-mcp {__version__}, Python {platform.python_version()}, {platform.platform()}\n"
    file.touch(mode=0o600)
    file.write_text(about + told(error), encoding="utf-8", errors="backslashreplace")
    return file


def told(error: BaseException) -> str:
    """Tell an error with its traceback, without the secrets in it."""
    return discreet("".join(traceback.format_exception(error)))


def discreet(text: str) -> str:
    """Take out of *text* the secrets of this process's environment, and what looks like one."""
    return _redactor()(text)


@cache
def _redactor() -> Redactor:
    secrets = secrets_of(os.environ)
    return Redactor(known=lambda: secrets)


def _redacted(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {
        name: discreet(value) if isinstance(value, str) else value for name, value in event.items()
    }


def _said(_: object, __: str, event: MutableMapping[str, Any]) -> str:
    """Say an event as a command says what it did: at a terminal a person reads it."""
    facts = ", ".join(str(value) for name, value in event.items() if name not in _OF_THE_LOG)
    return f"kimi-mcp: {event['event'].replace('.', ' ')}: {facts}"


_OF_THE_LOG = {"event", "level", "timestamp"}


@cache
def _logger() -> Any:
    import structlog  # noqa: PLC0415  see the module's docstring

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _redacted,
            _said
            if sys.stderr.isatty()
            else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    return structlog.get_logger()
