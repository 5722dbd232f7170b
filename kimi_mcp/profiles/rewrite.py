"""Changing a person's TOML file: planned first, then written in one step, with a backup.

A symbolic link is followed to the file it means, so that a configuration kept in a dotfiles
repository stays there. The backup stands beside the link, for it may hold keys, and is the file as
it was before the last change. A process that is killed at any point leaves the old file or the new
one; a draft that it left behind is removed by the next write.
"""

import os
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kimi_mcp.errors import Refused, Unready
from kimi_mcp.profiles.edit import Key, NotEditable, Plain, with_values

_SUFFIX = ".kimi-mcp-backup"
_DRAFT = ".kimi-mcp-draft-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """A change of one file that is known to be possible and has not happened yet."""

    file: Path
    #: None: there is no such file yet.
    before: str | None
    after: str

    @classmethod
    def plan(
        cls, file: Path, values: Mapping[Key, Plain], *, earlier: str | None = None
    ) -> "Rewrite":
        """Work out what *file* would hold with *values* set, or with the text *earlier* instead.

        Raises:
            Refused: the file is no TOML (file and line are named), or cannot be edited safely.
            Unready: it cannot be read.
        """
        before = text_of(file)
        try:
            after = with_values(before or "", values)
        except tomllib.TOMLDecodeError as error:
            raise Refused(
                f"{file} is not valid TOML: {error}. Nothing was changed; correct it by hand."
            ) from error
        except NotEditable as error:
            wanted = ", ".join(f"{'.'.join(key)} = {value!r}" for key, value in values.items())
            raise Refused(
                f"{file} cannot be edited safely: {error}. Nothing was changed; "
                f"set by hand: {wanted}."
            ) from error
        return cls(file=file, before=before, after=after if earlier is None else earlier)

    @property
    def is_change(self) -> bool:
        """Whether anything would be written; a file that is missing and stays empty is none."""
        return self.after != (self.before or "")

    @property
    def backup(self) -> Path | None:
        """Where the present content is kept by `write`; None when nothing is overwritten."""
        if self.before is None or not self.is_change:
            return None
        return self.file.with_name(self.file.name + _SUFFIX)

    def write(self) -> None:
        """Do it, or nothing where the file is as wanted already.

        Raises:
            Unready: the folder or file cannot be written.
        """
        if not self.is_change:
            return
        real = self.file.resolve()
        try:
            real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = 0o600 if self.before is None else real.stat().st_mode & 0o777
            if self.before is not None and self.backup is not None:
                replace(self.backup, self.before, mode=mode)
            replace(real, self.after, mode=mode)
        except OSError as error:
            raise Unready(f"{self.file} cannot be written: {error.strerror}.") from error


def text_of(file: Path) -> str | None:
    """Read a file as it is, line ends included; None where there is none.

    Raises:
        Refused: it is no text in UTF-8, which TOML is.
        Unready: it cannot be read.
    """
    try:
        return file.read_bytes().decode()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise Refused(
            f"{file} is not valid TOML: {error}. Nothing was changed; correct it by hand."
        ) from error
    except OSError as error:
        raise Unready(f"{file} cannot be read: {error.strerror}.") from error


def replace(file: Path, text: str, *, mode: int) -> None:
    """Put *text* in the place of *file* in one step.

    Raises:
        OSError: it cannot be written.
    """
    for left in file.parent.glob(f".{file.name}{_DRAFT}*"):
        left.unlink(missing_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}{_DRAFT}", dir=file.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text.encode())
            stream.flush()
            os.fsync(descriptor)
        draft.chmod(mode)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
