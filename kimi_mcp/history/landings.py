"""What became of a dispatch's work after its review."""

import json
from dataclasses import dataclass
from enum import StrEnum

from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.store import Store


class How(StrEnum):
    """The ways in which work can leave a dispatch."""

    APPLY = "apply"
    SQUASH = "squash"
    MERGE = "merge"
    PULL_REQUEST = "pull_request"
    DISCARD = "discard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """One landing of some or all tasks; never changed afterwards."""

    how: How
    tasks: tuple[int, ...]
    is_whole: bool
    """Whether it was all that the dispatch had delivered."""
    head: str | None = None
    """The commit that was landed; None: it was discarded."""
    target: str | None = None
    """The branch; None: the files of the checkout, or nothing."""
    result: str | None = None
    """The commit that it became on the branch."""
    url: str | None = None
    at: str


class Landings(Store):
    """Remembers what was landed, where, and as which commit."""

    __slots__ = ()

    def record_landing(self, dispatch: DispatchId, landing: Landing) -> None:
        """Add a landing to a dispatch's record."""
        with self.writing() as unit:
            unit.run(
                "insert_landing",
                dispatch=dispatch,
                how=landing.how,
                tasks=json.dumps(landing.tasks),
                is_whole=landing.is_whole,
                head=landing.head,
                target=landing.target,
                result=landing.result,
                url=landing.url,
                at=landing.at,
            )

    def landings(self, dispatch: DispatchId) -> tuple[Landing, ...]:
        """Return a dispatch's landings, from the first."""
        with self.reading() as unit:
            return tuple(
                Landing(
                    how=How(row["how"]),
                    tasks=tuple(json.loads(row["tasks"])),
                    is_whole=bool(row["is_whole"]),
                    head=row["head"],
                    target=row["target"],
                    result=row["result"],
                    url=row["url"],
                    at=row["at"],
                )
                for row in unit.run("landings", dispatch=dispatch)
            )
