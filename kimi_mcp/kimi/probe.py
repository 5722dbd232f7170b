"""Ask a program on the machine a short question: bounded in time and in output.

Nobody knows yet whose program it is. It may hang, print without end, or leave children that hold
its output open. It gets no terminal, no input and none of the host's secrets.
"""

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LIMIT_S = 20.0

LIMIT_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a program said on either stream, and how it ended; None: it had to be killed."""

    text: str
    exit_code: int | None


def ask(
    argv: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str],
    limit_s: float = LIMIT_S,
    limit_bytes: int = LIMIT_BYTES,
) -> Answer:
    """Run *argv* to its end, or kill its process group at one of the two limits.

    Raises:
        OSError: the program cannot be started.
    """
    ends_at = time.monotonic() + limit_s
    with subprocess.Popen(
        argv,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        said = _read(process.stdout.fileno(), ends_at=ends_at, limit_bytes=limit_bytes)
        if len(said) < limit_bytes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, ends_at - time.monotonic()))
        exit_code = process.poll()
        if exit_code is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # it ended just now
                os.killpg(process.pid, signal.SIGKILL)
    return Answer(text=said.decode(errors="replace"), exit_code=exit_code)


def _read(pipe: int, *, ends_at: float, limit_bytes: int) -> bytes:
    said = b""
    while len(said) < limit_bytes:
        readable, _, _ = select.select([pipe], [], [], max(0.0, ends_at - time.monotonic()))
        chunk = os.read(pipe, 4096) if readable else b""
        if not chunk:
            break
        said += chunk
    return said
