"""A lock that the kernel drops when the last process that holds it dies. Never a stale word."""

import fcntl
import os
from pathlib import Path


def take(file: Path, *, is_made: bool = True) -> int | None:
    """Lock *file* for this process, without waiting; return the descriptor, to be closed later.

    Nothing is returned when somebody else holds it, or when it cannot be opened (any more). A file
    that is not there is made, if *is_made*.
    """
    try:
        lock = os.open(file, os.O_RDWR | (os.O_CREAT if is_made else 0), 0o600)
    except OSError:  # its folder is gone, or nothing can be written there
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    if os.fstat(lock).st_nlink == 0:  # removed while we were opening it
        os.close(lock)
        return None
    return lock
