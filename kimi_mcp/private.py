"""Files and folders that are the user's alone.

Modes are given where a file is made, not by the umask: what we write into the user's repository,
and what their programs write, keeps the modes that the user is used to.
"""

import os
import stat
from pathlib import Path

from kimi_mcp.errors import Unready

_OTHERS = 0o077
_OTHERS_WRITE = 0o022


def opener(path: str, flags: int) -> int:
    """Open a file for `open(…, opener=opener)`; a new one is readable by its owner only."""
    return os.open(path, flags, 0o600)


def claim(folder: Path) -> str | None:
    """Make *folder*, and close it to others.

    Returns:
        What had to be repaired, in words.

    Raises:
        Unready: it cannot be made, belongs to somebody else, or others could write into it and so
            may have made what is in it; the message says what to do.
    """
    now = "Or set KIMI_MCP_HOME to a folder of your own."
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        about = folder.stat()
    except OSError as error:
        raise Unready(
            f"The state folder {folder} cannot be made: {error.strerror}. Correct that. {now}"
        ) from error
    if about.st_uid != os.geteuid():
        raise Unready(
            f"The state folder {folder} belongs to another user (number {about.st_uid}). Run as "
            f"that user. {now}"
        )
    mode = stat.S_IMODE(about.st_mode)
    if mode & _OTHERS_WRITE and any(folder.iterdir()):
        raise Unready(
            f"Others could write into the state folder {folder} (mode {mode:o}), so what is in it "
            f"may be theirs. Look at it, then run `chmod 700 {folder}`. {now}"
        )
    if not mode & _OTHERS:
        return None
    folder.chmod(0o700)
    return f"closed {folder} to others; its mode was {mode:o}"
