"""Changing keys in a person's TOML file: planned first, then written in one step, with a backup.

A symbolic link is followed to the file it means, so that a configuration kept in a dotfiles
repository stays there. The backup stands beside the link, for it may hold keys, and is the file as
it was before the last change.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrite:
    """A change of one file that is known to be possible and has not happened yet."""

    file: Path
    #: None: there is no such file yet.
    before: bytes | None
    after: bytes

    @classmethod
    def plan(cls, file: Path, values: Mapping[Key, Plain]) -> "Rewrite":
        """Work out what *file* would hold with *values* set.

        Raises:
            Refused: the file is no TOML (file and line are named), or cannot be edited safely.
            Unready: it cannot be read.
        """
        try:
            before = file.read_bytes()
        except FileNotFoundError:
            before = None
        except OSError as error:
            raise Unready(f"{file} cannot be read: {error.strerror}.") from error
        try:
            after = with_values((before or b"").decode("utf-8"), values)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise Refused(
                f"{file} is not valid TOML: {error}. Nothing was changed; correct it by hand."
            ) from error
        except NotEditable as error:
            wanted = ", ".join(f"{'.'.join(key)} = {value!r}" for key, value in values.items())
            raise Refused(
                f"{file} cannot be edited safely: {error}. Nothing was changed; "
                f"set by hand: {wanted}."
            ) from error
        return cls(file=file, before=before, after=after.encode("utf-8"))

    @property
    def backup(self) -> Path | None:
        """Where the present content is kept by `write`; None when nothing is overwritten."""
        if self.before is None or self.before == self.after:
            return None
        return self.file.with_name(self.file.name + _SUFFIX)

    def write(self) -> None:
        """Do it, or nothing where the file is as wanted already.

        Raises:
            Unready: the folder or file cannot be written.
        """
        if self.before == self.after:
            return
        real = self.file.resolve()
        try:
            real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = 0o600 if self.before is None else real.stat().st_mode & 0o777
            if self.before is not None and self.backup is not None:
                _replace(self.backup, self.before, mode=mode)
            _replace(real, self.after, mode=mode)
        except OSError as error:
            raise Unready(f"{self.file} cannot be written: {error.strerror}.") from error


def _replace(file: Path, content: bytes, *, mode: int) -> None:
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(descriptor)
        draft.chmod(mode)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
