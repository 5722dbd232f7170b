"""Counting the requests that the journals of one Kimi home tell of, from their beginnings."""

from dataclasses import dataclass
from pathlib import Path

from kimi_mcp.kimi.dialect import Dialect
from kimi_mcp.kimi.journal import Journal
from kimi_mcp.kimi.observations import AgentEnded, Compacting, StepBegan, TurnEnded


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The model requests that the journals of a Kimi home tell of."""

    #: Of all agents and turns, retries and compactions included.
    requests: int
    #: Agents whose end does not stand there: each may have made one request more.
    at_work: int


def tally(home: Path, dialect: Dialect) -> Tally:
    """Count what the journals in *home* tell; a home without any has none."""
    requests = 0
    known: set[str] = set()
    at_work: set[str] = set()
    journal = Journal(home, dialect, is_from_the_start=True)
    while (found := journal.read()) or journal.agents - known:
        at_work |= journal.agents - known  # a request is written down only after it was made
        known |= journal.agents
        for seen in found:
            match seen:
                case StepBegan() | Compacting():
                    requests += 1
                    at_work.add(seen.agent)
                case AgentEnded():
                    at_work.discard(seen.agent)
                case TurnEnded():
                    at_work.clear()  # its agents ended before it
                case _:
                    pass
    return Tally(requests=requests, at_work=len(at_work))
