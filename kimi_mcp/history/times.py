"""The one way to write a point in time: UTC, milliseconds, `Z`, always 24 characters.

Text of one width sorts as time does, which the queries rely on; the schema refuses anything else.
There is no clock here: callers bring the moment.
"""

from datetime import UTC, datetime


def timestamp(moment: datetime) -> str:
    """Write *moment* (which knows its zone) like `2026-01-02T03:04:05.678Z`.

    Raises:
        ValueError: *moment* has no zone.
    """
    if moment.tzinfo is None:
        raise ValueError("A moment without a zone could mean any hour.")
    text = moment.astimezone(UTC).isoformat(timespec="milliseconds")
    return text.removesuffix("+00:00") + "Z"


def moment(text: str) -> datetime:
    """Read what `timestamp` wrote, as a moment in UTC."""
    return datetime.fromisoformat(text)
