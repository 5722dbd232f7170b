"""What a person who watches has chosen to see, and what a key changes of it. Pure."""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

PAGE_LINES = 10


class Leave(Enum):
    """The person has seen enough; the work goes on."""

    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Stop:
    """The person wants it ended: one task, or all (None)."""

    task: int | None


Wish: TypeAlias = Leave | Stop | None


@dataclass(slots=True)
class Viewer:
    """Which task is chosen, whether its log is open, and what was asked."""

    numbers: list[int]  # of the tasks, as they stand on the screen
    selected: int = 0
    is_log: bool = False
    scrolled: int = 0
    is_asked: bool = False

    @property
    def task(self) -> int:
        """The number of the chosen task."""
        return self.numbers[self.selected]

    @property
    def question(self) -> str | None:
        """What the person is asked, if anything."""
        if not self.is_asked:
            return None
        return f"Stop Kimi? The work so far is kept. y all of it · t only task {self.task} · n no"

    def press(self, key: str) -> Wish:
        """Take a key in; return what the person wants done."""
        if self.is_asked:
            self.is_asked = False
            return {"y": Stop(None), "t": Stop(self.task)}.get(key)
        match key:
            case "q":
                return Leave.LEAVE
            case "escape" if not self.is_log:
                return Leave.LEAVE
            case "c":
                self.is_asked = True
            case "l" | "enter" | "escape":
                self.is_log, self.scrolled = not self.is_log, 0
            case "up" | "k" | "down" | "j" | "page up" | "page down":
                self._move({"k": "up", "j": "down"}.get(key, key))
            case _:
                pass
        return None

    def _move(self, key: str) -> None:
        lines = {"up": -1, "down": 1, "page up": -PAGE_LINES, "page down": PAGE_LINES}[key]
        if self.is_log:
            self.scrolled = max(self.scrolled - lines, 0)
        else:
            self.selected = min(max(self.selected + lines, 0), len(self.numbers) - 1)
