"""What becomes known of an attempt without an event that tells of it."""

from collections.abc import Iterable, Mapping
from typing import Any, Unpack, cast

from kimi_mcp.history.ids import DispatchId
from kimi_mcp.history.records import AttemptFacts
from kimi_mcp.history.store import Store, Value
from kimi_mcp.quoting.shapes import Redact

#: Of an attempt nothing new is known.
NOTHING: Mapping[str, Value] = dict.fromkeys(AttemptFacts.__annotations__)


class Journal(Store):
    """Adds to the record; nothing here changes a state."""

    __slots__ = ()

    def advance_attempt(
        self, dispatch: DispatchId, task: int, attempt: int, **facts: Unpack[AttemptFacts]
    ) -> bool:
        """Record what became known of an unfinished attempt; False when it is over already."""
        values: dict[str, Any] = {**NOTHING, **facts}
        with self.writing() as unit:
            cursor = unit.run(
                "update_attempt",
                dispatch=dispatch,
                task=task,
                attempt=attempt,
                ended_at=None,
                **values,
            )
            return cursor.rowcount == 1

    def keep_lost_attempt(
        self, dispatch: DispatchId, task: int, attempt: int, *, commit_id: str, ref: str
    ) -> None:
        """Name what an attempt's work became after its runner had died."""
        with self.writing() as unit:
            unit.run(
                "keep_lost_attempt",
                dispatch=dispatch,
                task=task,
                attempt=attempt,
                commit_id=commit_id,
                ref=ref,
            )


def within(value: Any, redact: Redact) -> Any:
    """Take the secrets out of every text of a JSON value, before it is escaped."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, Mapping):
        pairs = cast("Mapping[str, Any]", value).items()
        return {name: within(inner, redact) for name, inner in pairs}
    if isinstance(value, list | tuple):
        return [within(inner, redact) for inner in cast("Iterable[Any]", value)]
    return value
