"""Ask a program on the machine a short question: bounded in time and in output.

Nobody knows yet whose program it is. It may hang, print without end, or leave children that hold
its output open. It gets no terminal, no input and none of the host's secrets.

The surprising fact: a program of Node may have said everything and not end. One in two hundred
starts of Kimi Code 2.1.0 on Node 24.19 does so on a busy machine (node.py says why).
"""

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LIMIT_S = 60.0  # a cold Node on a machine with no time to spare has taken more than 20

LIMIT_BYTES = 65_536

LINGER_S = 5.0  # for a program that has said enough, to end by itself


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
    is_enough: Callable[[str], bool] | None = None,
) -> Answer:
    """Run *argv* to its end, or kill its process group at one of the two limits.

    A program that has said what *is_enough* is killed as well, if it does not end soon after.

    Raises:
        OSError: the program cannot be started.
    """
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
        hearing = _Hearing(ends_at=time.monotonic() + limit_s, is_enough=is_enough)
        hearing.read(process.stdout.fileno(), limit_bytes=limit_bytes)
        if len(hearing.said) < limit_bytes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(hearing.left_s())
        exit_code = process.poll()
        if exit_code is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # it ended just now
                os.killpg(process.pid, signal.SIGKILL)
    return Answer(text=hearing.text, exit_code=exit_code)


@dataclass(slots=True, kw_only=True)
class _Hearing:
    ends_at: float
    is_enough: Callable[[str], bool] | None
    said: bytes = b""

    @property
    def text(self) -> str:
        return self.said.decode(errors="replace")

    def left_s(self) -> float:
        return max(0.0, self.ends_at - time.monotonic())

    def read(self, pipe: int, *, limit_bytes: int) -> None:
        while len(self.said) < limit_bytes:
            readable, _, _ = select.select([pipe], [], [], self.left_s())
            chunk = os.read(pipe, 4096) if readable else b""
            if not chunk:
                break
            self.said += chunk
            if self.is_enough and self.is_enough(self.text):
                self.ends_at = min(self.ends_at, time.monotonic() + LINGER_S)
