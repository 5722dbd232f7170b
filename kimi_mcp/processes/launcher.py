"""The tiny program between the runner and everything it starts.

Run as a file of its own (`python -I launcher.py STATUS_FD`), so it costs about 20 ms and cannot be
hijacked by what lies in the working folder. It reads one job (a JSON line) from stdin, starts it,
and afterwards treats stdin as the runner's pulse: the line `stop` or the end of the pipe ends the
job. Every process that the job started, whatever it did to its session, group or environment, has
become our child when its parent died (child subreaper, Linux), and is ended before we exit.

On systems without subreapers the process tree is read before the first signal and ended from that
list; a daemon that left the tree earlier escapes there.

Status, one JSON object a line: `{"job": "read"}`, `{"started": pid}` or `{"failed": why}`, then
`{"exited": code, "signal": n, "stopped": bool, "swept": n}`.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from types import FrameType
from typing import IO, TypedDict

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
ORPHANED_GRACE_S = 5.0  # when the runner is dead nobody waits for a long farewell
SWEEP_GRACE_S = 0.5  # between TERM and KILL for what the job left behind
SWEEP_BOUND_S = 20.0


class Job(TypedDict):
    """What to start, and how long a TERM may take before KILL."""

    argv: list[str]
    cwd: str
    env: dict[str, str]
    grace_s: float
    merge_stderr: bool


def main() -> None:
    """Start the job given on stdin, end it when told to, sweep, report."""
    status = os.fdopen(int(sys.argv[1]), "w", encoding="utf-8")
    wakeup = _wake_on_signals()
    job: Job = json.loads(_first_line())
    _report(status, {"job": "read"})
    become_subreaper()
    try:
        child = subprocess.Popen(
            job["argv"],
            cwd=job["cwd"],
            env=job["env"],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.STDOUT if job["merge_stderr"] else None,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509  one thread, one system call
        )
    except (OSError, ValueError) as error:
        _report(status, {"failed": str(error)})
        return
    _report(status, {"started": child.pid})
    _release_output()
    stopped = _wait(child, grace_s=job["grace_s"], wakeup=wakeup)
    swept = _sweep(child)
    code = child.returncode
    _report(
        status,
        {
            "exited": code if code >= 0 else None,
            "signal": -code if code < 0 else None,
            "stopped": stopped,
            "swept": swept,
        },
    )


def become_subreaper() -> None:
    """Make this process the parent of every descendant whose own parent dies (Linux)."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def _wake_on_signals() -> int:
    """Turn the signals that matter into bytes on a pipe, and return its reading end."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _only_wake)
    return reader


def _only_wake(_number: int, _frame: FrameType | None) -> None:
    """Let the signal interrupt `select` instead of ending us."""


def _first_line() -> bytes:
    line = bytearray()
    while not line.endswith(b"\n"):
        # in large pieces: the runner writes nothing after this line before it has read our answer
        chunk = os.read(0, 1 << 16)
        if not chunk:
            break
        line += chunk
    return bytes(line)


def _release_output() -> None:
    """Let go of the job's output pipes, so that their end is the end of the job's processes."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    os.close(null)


def _wait(child: subprocess.Popen[bytes], *, grace_s: float, wakeup: int) -> bool:
    """Wait for the child; at a stop, TERM it once, and KILL it after the grace.

    Return whether it was stopped.
    """
    deadline: float | None = None
    sources = [0, wakeup]
    while _reap(child) and child.returncode is None:
        patience = None if deadline is None else max(0.0, deadline - time.monotonic())
        ready, _, _ = select.select(sources, [], [], patience)
        asked = False
        if wakeup in ready:
            asked = any(byte != signal.SIGCHLD for byte in os.read(wakeup, 512))
        if 0 in ready:
            asked = True
            if not os.read(0, 512):
                grace_s = min(grace_s, ORPHANED_GRACE_S)
                deadline = deadline and min(deadline, time.monotonic() + grace_s)
                sources = [wakeup]
        if deadline is None and asked:
            deadline = time.monotonic() + grace_s
            _remember_tree()
            child.terminate()
        elif deadline is not None and time.monotonic() >= deadline:
            child.kill()
            child.wait()
    return deadline is not None


_tree: list[int] = []


def _remember_tree() -> None:
    if sys.platform != "linux":
        _tree.extend(_descendants())


def _descendants() -> list[int]:
    import psutil  # noqa: PLC0415  loaded only when there is something to end: start time

    return [process.pid for process in psutil.Process().children(recursive=True)]


def _sweep(child: subprocess.Popen[bytes]) -> int:
    """End everything that has become our child, and say how many processes that were."""
    seen: set[int] = set()
    began = time.monotonic()
    while _reap(child) and time.monotonic() - began < SWEEP_BOUND_S:
        number = signal.SIGTERM if time.monotonic() - began < SWEEP_GRACE_S else signal.SIGKILL
        for pid in [*_descendants(), *_tree]:
            if number == signal.SIGKILL or pid not in seen:
                seen.add(pid)
                _signal(pid, number)
        time.sleep(0.02)
    for pid in _tree:
        _signal(pid, signal.SIGKILL)
    return len(seen)


def _reap(child: subprocess.Popen[bytes]) -> bool:
    """Collect dead children, adopted ones too; return whether any child is left.

    At once and not only at the end: who waits for a daemon to vanish would wait for its zombie.
    """
    try:
        while (dead := os.waitpid(-1, os.WNOHANG)) != (0, 0):
            if dead[0] == child.pid:
                child.returncode = os.waitstatus_to_exitcode(dead[1])
    except ChildProcessError:
        return False
    return True


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _die_with_parent() -> None:
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        _LIBC.prctl(option, value, 0, 0, 0)


_LIBC = ctypes.CDLL(None)


def _report(status: IO[str], message: dict[str, object]) -> None:
    # a broken pipe: the runner is dead, and the work of ending the job is done all the same
    with contextlib.suppress(BrokenPipeError):
        status.write(json.dumps(message) + "\n")
        status.flush()


if __name__ == "__main__":
    main()
