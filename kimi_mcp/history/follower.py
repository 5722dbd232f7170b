"""Following the history as it happens, from another process than the one that writes.

`PRAGMA data_version` changes for a connection when another one has committed, costs microseconds,
and needs that connection to be kept. Hence the one value of this room that holds one.
"""

from types import TracebackType
from typing import Self

from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.reads import events_of
from kimi_mcp.history.records import Event
from kimi_mcp.history.store import Store, Unit, connect, translated


class Watcher:
    """A reader that knows whether anything was written since it last asked.

    For one task at a time, in whatever thread; a context manager that closes its connection. A
    writer that holds one as well writes seven times as fast (measured): else each of its units is
    the last to close the file, and SQLite folds the write-ahead log into it every time.
    """

    def __init__(self, store: Store) -> None:
        self._seen_version: int | None = None
        self._path = store.path
        with translated(self._path):
            self._connection = connect(self._path)

    def changed(self) -> bool:
        """Tell whether anybody else wrote since the last call; the first call says yes."""
        with translated(self._path):
            version: int = self._connection.execute("PRAGMA data_version").fetchone()[0]
        before, self._seen_version = self._seen_version, version
        return version != before

    def close(self) -> None:
        """Give the connection back."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Follower(Watcher):
    """A watcher that reads what happens to one dispatch."""

    def __init__(self, store: Store, dispatch: DispatchId) -> None:
        super().__init__(store)
        self._dispatch = dispatch

    def events(self, *, after: int, limit: int | None = None) -> tuple[Event, ...]:
        """Return the dispatch's events after number *after*, in order."""
        with translated(self._path):
            unit = Unit(self._connection)
            return events_of(unit, self._dispatch, after=after, task=None, limit=limit)
