"""What every use case needs, opened once at the door and handed down.

No module holds a connection, a folder or the settings at import time.
"""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from kimi_mcp.dispatch.redacting import redactor_of
from kimi_mcp.dispatch.runners import Runners
from kimi_mcp.errors import Unready
from kimi_mcp.history.history import History
from kimi_mcp.history.times import timestamp
from kimi_mcp.quoting.envelope import Envelope
from kimi_mcp.quoting.shapes import Redact, without_shapes
from kimi_mcp.state import StateFolder

if TYPE_CHECKING:
    from kimi_mcp.settings import Settings


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workbench:
    """The collaborators of one server or command line."""

    state: StateFolder
    history: History
    environ: Mapping[str, str]
    folder: Path  # where the caller stands
    redact: Redact = without_shapes
    """Takes secrets out of what is told."""
    now: Callable[[], datetime] = _utc_now
    envelope: Callable[[], Envelope] = Envelope.fresh
    """Makes what a reply encloses a worker's text in: a new one for each reply."""
    runners: Runners | None = None
    """Where runners come from, for one who will start several; else each call has its own."""

    @classmethod
    def open(cls, environ: Mapping[str, str] = os.environ) -> "Workbench":
        """Open the state folder and the history.

        Raises:
            StoreUnusable: the history is newer than this version, or unreadable.
        """
        state = StateFolder.locate(environ)
        redact = redactor_of(state, environ)
        return cls(
            state=state,
            history=History.open(state.history_db, redact=redact),
            redact=redact,
            environ=environ,
            folder=Path.cwd(),
        )

    def settings(self) -> "Settings":
        """Read the user's settings as they are now.

        Raises:
            Refused: a key or value is not allowed.
        """
        from kimi_mcp.settings import Settings  # noqa: PLC0415  the first answer need not wait

        return Settings.load(self.environ)

    def expect_dispatch(self) -> None:
        """Load what a runner needs, for one is wanted next; what hinders that is said by then."""
        if self.runners is not None:
            with suppress(Unready):
                self.runners.warm()

    def stamp(self) -> str:
        """Return this moment as the history writes it."""
        return timestamp(self.now())

    @property
    def session(self) -> str | None:
        """Claude's session, when Claude Code started us."""
        return self.environ.get("CLAUDE_CODE_SESSION_ID")
