"""What an old dispatch gives away: its events. Its record stays, and the quota's ledger is exact.

Events are nearly all of the file. What stays of a dispatch is what a result tells: tasks, attempts,
checks, changes, findings, landings, and each step that was charged, at its moment.
"""

from collections.abc import Iterator

from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.store import Store

_PAGE = 100
_LAST = "9999"  # after every moment


class Retention(Store):
    """Takes the steps of old dispatches out, and gives the file's free pages back."""

    __slots__ = ()

    def whole(self, *, until: str = _LAST) -> Iterator[DispatchId]:
        """Name the dispatches that were over at the moment *until* and have all their events.

        The one that has been over longest comes first; they may be condensed meanwhile.
        """
        after, number = "", 0
        while True:
            with self.reading() as unit:
                found = unit.run(
                    "whole_dispatches", after=after, number=number, until=until, limit=_PAGE
                )
                rows = found.fetchall()
            yield from (DispatchId(row["id"]) for row in rows)
            if len(rows) < _PAGE:
                return
            after, number = rows[-1]["ended_at"], rows[-1]["number"]

    def condense(self, dispatch: DispatchId, *, at: str) -> bool:
        """Remove the events of a dispatch that is over; False when it is live, or was condensed."""
        with self.writing() as unit:
            if unit.run("mark_condensed", dispatch=dispatch, at=at).rowcount != 1:
                return False
            unit.run("keep_steps", dispatch=dispatch)
            unit.run("drop_events", dispatch=dispatch)
            return True

    def used_bytes(self) -> int:
        """Say how much of the file is in use."""
        return self._pages("page_count") - self._pages("freelist_count")

    def compact(self) -> int:
        """Give what is not in use back to the disk; return how many bytes.

        Nobody can write meanwhile: about a second for each 100 MB. Only for who has seen that
        nothing is live.
        """
        before = self._pages("page_count")
        with self.reading() as unit:
            unit.connection.execute("VACUUM")
        return before - self._pages("page_count")

    def unused_bytes(self) -> int:
        """Say how much of the file is not in use: what `compact` would give back, about."""
        return self._pages("freelist_count")

    def _pages(self, pragma: str) -> int:
        with self.reading() as unit:
            count: int = unit.connection.execute(f"PRAGMA {pragma}").fetchone()[0]
            return count * unit.connection.execute("PRAGMA page_size").fetchone()[0]
