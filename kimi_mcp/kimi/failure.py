"""What a dialect is asked when a run is over, and what it answers. Data only."""

from dataclasses import dataclass

from kimi_mcp.kimi.observations import TurnEnded


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """Where Kimi may have said that it failed."""

    exit_code: int | None
    stderr_tail: str
    plain_words: str  # the lines at the end of standard output that are no records
    turn_ended: TurnEnded | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Kimi's own word on why it failed, with the code that Kimi Code uses for it, if any."""

    code: str | None
    words: str
