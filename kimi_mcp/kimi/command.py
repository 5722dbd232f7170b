"""What one run of Kimi is asked to do, the same for every dialect. Pure.

`-p` takes one argument, which Linux limits to 128 KiB and which anybody can read in the process
list: long briefs go through a file. A prompt that begins with a slash is a command to either CLI.
"""

import re
from dataclasses import dataclass
from pathlib import Path

ARGUMENT_LIMIT_BYTES = 100_000

_SLASH_COMMAND = re.compile(r"[\s\ufeff]*/")  # Kimi trims the prompt before it looks for one


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn of a session: what is asked, and what Kimi may spend on it."""

    prompt: str
    home: Path  # the task's own Kimi home
    steps: int  # requests, 0 for no limit
    attempts: int  # how often one request is tried
    thinking: bool = True
    model: str | None = None  # None: the default of the home's configuration
    session_id: str | None = None  # None: a session of its own

    @property
    def argument(self) -> str:
        """The prompt as it may be passed: never a command of Kimi's own."""
        if _SLASH_COMMAND.match(self.prompt):
            # `/goal` would start an endless loop; blank space before it changes nothing
            return "Do this: " + self.prompt
        return self.prompt


def prompt_for(brief: str, *, file: Path) -> tuple[str, bool]:
    """Return the prompt to pass, and whether *file* must first be written with the brief."""
    if len(brief.encode()) <= ARGUMENT_LIMIT_BYTES:
        return brief, False
    return f"Read the file {file} completely: it is your task. Carry it out exactly.", True
