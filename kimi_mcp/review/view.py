"""What of a dispatch can be shown."""

from enum import StrEnum


class View(StrEnum):
    """What of a dispatch is shown."""

    SUMMARY = "summary"
    DIFF = "diff"
    TRANSCRIPT = "transcript"
    CHECKS = "checks"
