"""Logging: key-value lines on stderr, never on stdout, which belongs to the protocol.

Event names are `noun.verb`. Prompts, specs, environments and configuration values are never logged.
The library is loaded at the first event: it costs a tenth of the server's start.
"""

import sys
from functools import cache
from typing import Any


def note(event: str, **fields: str | float | None) -> None:
    """Log that *event* happened, with its facts in *fields*."""
    _logger().info(event, **fields)


@cache
def _logger() -> Any:
    import structlog  # noqa: PLC0415  see the module's docstring

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    return structlog.get_logger()
