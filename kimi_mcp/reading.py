"""The door for files that somebody else may have made: bounded, held, never waited for.

A path is resolved once. Where it must lie within certain folders, the file is then reached from
such a folder through opened folders and no link, so a name that is exchanged after the look leads
nowhere. Only a regular file is read: a pipe or a device is refused without waiting for it.
"""

import os
import stat
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kimi_mcp.errors import Refused
from kimi_mcp.quoting.quotes import inline

SHOWN_CHARS = 200
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def expanded(path: str) -> Path:
    """Take *path* as it was written, with `~` replaced by the home folder.

    Raises:
        Refused: there is no such user, or no file system can hold such a name.
    """
    try:
        os.fsencode(path)
        if "\0" not in path:
            return Path(path).expanduser()
    except (UnicodeEncodeError, RuntimeError):
        pass
    raise Refused(f"{shown(path)} is no path; write it from the root, or beginning with ~/.")


def read_text(
    file: Path,
    *,
    what: str,
    limit_bytes: int,
    limit_name: str,
    within: Sequence[Path] | None = None,
) -> str:
    """Read a UTF-8 text of at most *limit_bytes*.

    Args:
        file: its path; links are followed, once.
        what: begins a refusal, like "The plan".
        limit_bytes: larger files are refused before they are read.
        limit_name: the setting that holds the limit, or words for it.
        within: the file must lie in one of these folders (or be one of these files), and in no
            `.git`. None: anywhere, for a path that a person named.

    Raises:
        Refused: it lies elsewhere, is no regular file, is too long or no UTF-8, or cannot be read.
    """
    named = f"{what} {shown(str(file))}"
    try:
        real = Path(os.path.realpath(file))
        descriptor = os.open(real, _FILE) if within is None else _reached(real, within, named)
        try:
            about = os.fstat(descriptor)
            if not stat.S_ISREG(about.st_mode):
                raise Refused(f"{named} is no regular file; name a text file.")
            with os.fdopen(descriptor, "rb", closefd=False) as opened:
                content = opened.read(limit_bytes + 1) if about.st_size <= limit_bytes else None
        finally:
            os.close(descriptor)
    except OSError as error:
        raise Refused(f"{named} cannot be read: {error.strerror}. Correct its path.") from error
    except ValueError as error:  # a NUL
        raise Refused(f"{named} cannot be read: no path holds such a character.") from error
    if content is None or len(content) > limit_bytes:
        raise Refused(f"{named} has more than {limit_bytes} bytes ({limit_name}); shorten it.")
    if b"\0" in content:  # no program can be given it
        raise Refused(f"{named} is no text: it holds a NUL byte; save it as UTF-8.")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise Refused(f"{named} is no UTF-8 text; save it as UTF-8.") from error


@contextmanager
def held_folder(root: Path, relative: str) -> Generator[int]:
    """Open the folder at *relative* beneath *root*, through no link; yields its descriptor.

    Raises:
        OSError: a part of it is missing, no folder, or a link.
    """
    descriptor = os.open(root, _FOLDER & ~os.O_NOFOLLOW)
    try:
        for part in Path(relative).parts:
            inner = os.open(part, _FOLDER, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def shown(text: str) -> str:
    """Repeat what somebody gave, on one line and within bounds."""
    return inline(text, limit=SHOWN_CHARS)


def _reached(real: Path, within: Sequence[Path], named: str) -> int:
    """Open *real* from the first of *within* that holds it."""
    for allowed in within:
        root = Path(os.path.realpath(allowed))
        if not real.is_relative_to(root):
            continue
        root = root.parent if root == real else root
        relative = real.relative_to(root)
        if any(part.lower() == ".git" for part in relative.parts):
            raise Refused(f"{named} lies in a .git folder; name a file of the checkout.")
        with held_folder(root, str(relative.parent)) as folder:
            return os.open(relative.name, _FILE, dir_fd=folder)
    places = ", ".join(str(folder) for folder in within)
    raise Refused(
        f"{named} lies outside of what may be read: {places}. Put it there, or add its folder to "
        "allow_read in kimi-mcp.toml."
    )
