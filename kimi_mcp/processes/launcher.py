"""The tiny program between the runner and everything it starts.

The fork server forks one for each job. It reads the job (a JSON line) from stdin, starts it, and
afterwards treats stdin as the runner's pulse: the line `stop` or the end of the pipe ends the job.
Every process that the job started, whatever it did to its session, group or environment, has become
our child when its parent died (child subreaper, Linux), and is ended before we exit.

On systems without subreapers the process tree is read before the first signal and ended from that
list; a daemon that left the tree earlier escapes there.

The fence stands around the job only, not around us: put up between fork and exec.

Status, one JSON object a line: `{"launcher": pid}` when the job is read, then `{"started": pid,
"fence": report or null}` or `{"failed": why}`, then `{"exited": code, "signal": n, "starved":
whether it was ended for lack of room on the disk, "swept": n}`.

A job that leaves too little room on its disk is killed: a full disk would take the user's own
programs down, and the record of the job's work with them.
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
from typing import IO, TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from kimi_mcp.processes.fence import Fence, Report, Wish

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
ORPHANED_GRACE_S = 5.0  # when the runner is dead nobody waits for a long farewell
SWEEP_GRACE_S = 0.5  # between TERM and KILL for what the job left behind
SWEEP_BOUND_S = 20.0
LEAST_POLL_S, MOST_POLL_S = 0.2, 5.0
DISK_BYTES_S = 1_000_000_000  # a fast one takes that much; a nearly full one is looked at often


class Job(TypedDict):
    """What to start, how long a TERM may take before KILL, and what must stay free on the disk."""

    argv: list[str]
    cwd: str
    env: dict[str, str]
    grace_s: float
    free_bytes: int
    merge_stderr: bool
    fence: "Wish | None"


class NoStart(Exception):
    """The job could not be started; the text says why."""


def launch(status_fd: int) -> None:
    """Start the job given on stdin, end it when told to, sweep, report."""
    status = os.fdopen(status_fd, "w", encoding="utf-8")
    wakeup = _wake_on_signals()
    job: Job = json.loads(_first_line())
    _report(status, {"launcher": os.getpid()})
    become_subreaper()
    try:
        child, fence = _start(job)
    except NoStart as error:
        _report(status, {"failed": str(error)})
        return
    _report(status, {"started": child.pid, "fence": fence})
    _release_output()
    is_starved = _wait(child, job, wakeup=wakeup)
    swept = _sweep(child)
    code = child.returncode
    _report(
        status,
        {
            "exited": code if code >= 0 else None,
            "signal": -code if code < 0 else None,
            "starved": is_starved,
            "swept": swept,
        },
    )


def _start(job: Job) -> "tuple[subprocess.Popen[bytes], Report | None]":
    """Start the job within its fence; without one where there is none and none is required."""
    wish = job["fence"]
    if wish is None:
        return _spawn(job, None), None
    try:
        # loaded for fenced jobs only: start time
        from kimi_mcp.processes.fence import Fence, Unavailable  # noqa: PLC0415
    except ImportError as error:
        return _unfenced(job, f"the fence cannot be loaded: {error}", wish=wish)
    try:
        fence = Fence(wish)
    except Unavailable as error:
        return _unfenced(job, str(error), wish=wish)
    return _spawn(job, fence), fence.report


def _unfenced(
    job: Job, why: str, *, wish: "Wish"
) -> "tuple[subprocess.Popen[bytes], Report | None]":
    if wish["is_required"]:
        raise NoStart(f"a fence is required, and there is none: {why}")
    report: Report = {"is_active": False, "is_sealed": False, "is_network_cut": False, "why": why}
    return _spawn(job, None), report


def _spawn(job: Job, fence: "Fence | None") -> subprocess.Popen[bytes]:
    reader, writer = os.pipe()

    def prepare() -> None:
        try:
            if fence is not None:
                fence.enter()
                os.chdir(job["cwd"])  # the folder as it is mounted now
            _die_with_parent()  # last: a change of credentials takes it back
        except BaseException as error:
            os.write(writer, str(error).encode())
            raise

    try:
        return subprocess.Popen(
            job["argv"],
            cwd=job["cwd"],
            env=job["env"],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.STDOUT if job["merge_stderr"] else None,
            start_new_session=True,
            preexec_fn=prepare,  # noqa: PLW1509  this process has one thread
        )
    except subprocess.SubprocessError as error:
        raise NoStart(f"the fence could not be put up: {os.read(reader, 4096).decode()}") from error
    except (OSError, ValueError) as error:
        raise NoStart(str(error)) from error
    finally:
        os.close(reader)
        os.close(writer)


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


def _wait(child: subprocess.Popen[bytes], job: Job, *, wakeup: int) -> bool:
    """Wait for the child; at a stop, TERM it once, and KILL it after the grace.

    Return whether it was killed for lack of room on the disk.
    """
    grace_s = job["grace_s"]
    deadline: float | None = None
    sources = [0, wakeup]
    while _reap(child) and child.returncode is None:
        spare = _free_bytes(job["cwd"]) - job["free_bytes"]
        if spare < 0:
            child.kill()
            child.wait()
            return True
        patience = min(max(LEAST_POLL_S, spare / DISK_BYTES_S), MOST_POLL_S)
        if deadline is not None:
            patience = min(patience, max(0.0, deadline - time.monotonic()))
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
    return False


def _free_bytes(folder: str) -> int:
    try:
        disk = os.statvfs(folder)
    except OSError:  # the job has taken its folder away
        return sys.maxsize
    return disk.f_bavail * disk.f_frsize


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
