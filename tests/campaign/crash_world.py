"""One machine of the crash campaign: a repository, a spec, a Kimi that counts what it asks."""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil
from scratch_python import Sabotage, ScratchPython
from worlds import Planned

from dispatching import SPEC_PATH, bench_of, spec_of
from kimi_mcp.demo.script import Reply, bash, say, write
from kimi_mcp.demo.scripted_model import ScriptedModel
from kimi_mcp.dispatch.planning.trusting import trust
from kimi_mcp.dispatch.workbench import Workbench
from living import is_alive, until
from sandbox import Sandbox
from survivors import processes_of

#: How a process of each kind is known by its arguments.
SIGNS = {
    "runner": "kimi_mcp.dispatch.running.runner",
    "engine": "kimi_mcp.cluster.engine",
    "launcher": "fork_server.py",
    "kimi": "fake_kimi.py",
    "check": "check.sh",
    "command": "kimi_mcp",
    "git": "git",
}


class CrashWorld:
    """What a fault strikes in, and what it is judged by."""

    def __init__(
        self, sandbox: Sandbox, folder: Path, board: Path, *, has_own_package: bool
    ) -> None:
        self.sandbox = sandbox
        self.folder = folder
        self.board = board
        self.struck, self.go = self.board / "struck", self.board / "go"
        self.requests, self.marks = self.board / "requests", self.board / "marks"
        self.requests.touch()
        self.marks.touch()
        os.mkfifo(self.go)
        self.python = ScratchPython(folder / "python", has_own_package=has_own_package)
        self.tasks: list[Planned] = []
        self.bench: Workbench = bench_of(sandbox)
        self.model: ScriptedModel | None = None
        self._has_released = False

    def lay_check(self) -> str:
        """Lay the check that waits for the test once, and return its command."""
        script = self.board / "check.sh"
        script.write_text(
            f'(set -C; echo "$$ check" > {self.struck}) 2>/dev/null && cat {self.go} >/dev/null\n'
            "exit 0\n",
            encoding="utf-8",
        )
        return f"sh {script}"

    def specify(self, tasks: list[Planned]) -> None:
        """Write the spec of *tasks*, whose Kimis note down what they ask and make."""
        self._note_down(tasks)
        self.write_spec(tasks)

    def write_spec(self, tasks: list[Planned]) -> None:
        """Write the spec of *tasks* as they are."""
        self.tasks = tasks
        file = self.sandbox.write(SPEC_PATH, spec_of(*(task.text() for task in tasks)))
        trust(self.bench, str(file))

    def script(self, task: Planned) -> list[Reply]:
        """Script a real Kimi that does what a task lists, and notes down what it makes."""
        path = f"marks/{task.number}.txt"
        task.files.append(f"CREATE {path}")
        mark = "$(od -An -tx1 -N16 /dev/urandom | tr -d ' \\n')"
        noted = f"mkdir -p marks; m={mark}; echo $m > {path}; echo $m >> {self.marks}"
        return [
            bash(noted),
            *(write(act[1], act[2]) for act in task.acts if act[0] == "write"),
            *[say("Done.")] * 20,  # as often as a session is taken up again
        ]

    def _note_down(self, tasks: list[Planned]) -> None:
        for task in tasks:
            path = f"marks/{task.number}.txt"
            task.files.append(f"CREATE {path}")
            acts = [("account", str(self.requests)), ("mark", path, str(self.marks))]
            if task.fault != "nothing":
                task.acts[:0] = acts
            else:
                task.acts[:0] = acts[:1]
            task.intended[:0] = acts

    def sabotage(self, role: str, moment: int, deed: str) -> None:
        """Let one of our own processes be struck."""
        self.python.sabotage(
            Sabotage(
                role=role,
                moment=moment,
                deed=deed,
                world=str(self.folder),
                struck=str(self.struck),
                go=str(self.go),
            )
        )

    def processes(self, kind: str | None = None) -> list[psutil.Process]:
        """Find the processes of this world, of one kind or all."""
        found = processes_of(str(self.folder))
        return found if kind is None else [one for one in found if _is(one, kind)]

    async def kill(self, kind: str | None) -> None:
        """`kill -9` all processes of one kind, or all there are, and wait until they are gone."""
        doomed = self.processes(kind)
        _signal(doomed, signal.SIGKILL)
        await until(lambda: not any(one.is_running() and _runs(one) for one in doomed))

    def stop(self, kind: str, *, is_over: bool = False) -> None:
        """SIGSTOP all processes of one kind, or SIGCONT those that stand."""
        _signal(self.processes(kind), signal.SIGCONT if is_over else signal.SIGSTOP)

    def has_struck(self) -> bool:
        """Whether the moment has come: whoever came to it has said who it is, to its end.

        One that is killed or suspended before that could never say so later.
        """
        return self.struck.exists() and self.struck.read_text(encoding="utf-8").endswith("\n")

    async def release(self) -> None:
        """Let whoever waits go on, unless it is gone; one that is suspended cannot yet."""
        await until(lambda: self._is_released() or not self._may_wait())

    def _may_wait(self) -> bool:
        pid = int(self.struck.read_text(encoding="utf-8").split()[0])
        return is_alive(pid) and not _is_stopped(pid)

    def _is_released(self) -> bool:
        if not self._has_released:
            try:
                os.close(os.open(self.go, os.O_WRONLY | os.O_NONBLOCK))
            except OSError:  # it has not come to waiting yet
                return False
            self._has_released = True
        return True

    def charged(self) -> int:
        """Count the requests that the history tells of."""
        history = self.bench.history
        return sum(row.steps for one in history.recent(limit=1) for row in history.tasks(one.id))

    def asked(self) -> int:
        """Count the requests that Kimis have made."""
        if self.model is not None:
            return len(self.model.requests)
        return len(self.requests.read_text(encoding="utf-8").splitlines())


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.Error):
            process.send_signal(number)


def _is(process: psutil.Process, kind: str) -> bool:
    try:
        words = process.cmdline()
    except psutil.Error:
        return False
    sign = SIGNS[kind]
    return any(word == sign or word.endswith(f"/{sign}") for word in words)


def _is_stopped(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_STOPPED
    except psutil.Error:
        return False


def _runs(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
