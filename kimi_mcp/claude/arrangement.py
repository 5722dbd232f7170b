"""What is to be changed, said before it is done: edits of files, and Claude Code's own commands."""

import difflib
import os
import shlex
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from kimi_mcp.claude.client import Client
from kimi_mcp.claude.json_text import NotEditable
from kimi_mcp.claude.standing import invalid, text_of
from kimi_mcp.errors import Unready
from kimi_mcp.quoting.quotes import counted

Transform: TypeAlias = Callable[[str | None], str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One file, and what becomes of its text; None stands for no file."""

    file: Path
    transform: Transform
    is_own: bool = False
    """It lies in our own folder, and its text need not be shown."""

    def sides(self) -> tuple[str | None, str | None]:
        """Return the text as it is and as it would be.

        Raises:
            Refused: it cannot be edited; nothing was changed.
            Unready: it cannot be read.
        """
        before = text_of(self.file) if self.file.exists() else None
        try:
            return before, self.transform(before)
        except NotEditable as error:
            raise invalid(self.file, error) from error

    @property
    def is_change(self) -> bool:
        """Whether there is something to do."""
        before, after = self.sides()
        return before != after

    def diff(self) -> str:
        """Show the change; lines around it, which may hold keys, are left out."""
        before, after = self.sides()
        if after is None:
            return f"Deletes {self.file}"
        old, new = ("/dev/null" if text is None else str(self.file) for text in (before, after))
        lines = [(text or "").splitlines(keepends=True) for text in (before, after)]
        shown = difflib.unified_diff(lines[0], lines[1], old, new, n=0)
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in shown)

    def carry_out(self) -> None:
        """Do it.

        Raises:
            Unready: the file cannot be written.
        """
        before, after = self.sides()
        if before != after:
            write_bytes(self.file, None if after is None else after.encode("utf-8"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One of Claude Code's own commands."""

    arguments: Sequence[str]
    cwd: Path

    def __str__(self) -> str:
        return f"claude {shlex.join(self.arguments)}"


@dataclass(slots=True)
class Arrangement:
    """All that is to be done, and what to tell the person about it."""

    edits: list[Edit] = field(default_factory=list[Edit])
    calls: list[Call] = field(default_factory=list[Call])
    notes: list[str] = field(default_factory=list[str])

    @property
    def changes(self) -> list[Edit]:
        """The edits that change something."""
        return [edit for edit in self.edits if edit.is_change]

    @property
    def is_nothing(self) -> bool:
        """Whether all is as it should be."""
        return not self.calls and not self.changes

    @property
    def total(self) -> str:
        """Count what would be done: `6 files, 2 commands of Claude Code`."""
        parts = [(len(self.changes), "file"), (len(self.calls), "command")]
        said = [counted(count, noun) for count, noun in parts if count]
        return f"{', '.join(said)} of Claude Code" if self.calls else ", ".join(said)

    def lines(self) -> Iterator[str]:
        """Show what would be done, a change or a command each, as text of one or more lines."""
        own = [edit.file for edit in self.changes if edit.is_own]
        for edit in self.changes:
            if not edit.is_own:
                yield edit.diff().rstrip("\n")
        if own:
            what = f"{counted(len(own), 'file')} of the plugin"
            yield f"{os.path.commonpath([*map(str, own)])}: {what}"
        yield from (f"$ {call}" for call in self.calls)

    def run_calls(self, client: Client | None) -> None:
        """Run Claude Code's commands.

        Raises:
            Unready: one failed.
        """
        if client is not None:
            for call in self.calls:
                client.run(call.arguments, cwd=call.cwd)


def write_bytes(file: Path, content: bytes | None) -> None:
    """Replace a file in one step, or take it away; a link is followed to the file that it means.

    Raises:
        Unready: it cannot be written.
    """
    real = file.resolve()
    try:
        if content is None:
            real.unlink(missing_ok=True)
            return
        real.parent.mkdir(parents=True, exist_ok=True)
        mode = real.stat().st_mode & 0o777 if real.exists() else 0o644
        descriptor, name = tempfile.mkstemp(prefix=f".{real.name}.", dir=real.parent)
        with os.fdopen(descriptor, "wb") as draft:
            draft.write(content)
        Path(name).chmod(mode)
        Path(name).replace(real)
    except OSError as error:
        raise Unready(f"{file} cannot be written: {error.strerror}.") from error
