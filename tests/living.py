"""Who is alive: processes are told apart by the pid that they wrote into a file."""

import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import anyio
import psutil

import kimi_mcp
from tests.patience import PATIENCE_S

ENV = {"PATH": os.environ["PATH"]}
PYTHON = sys.executable
ASKING_SHARE = 4  # seconds of rest for one of asking
Answer = TypeVar("Answer")
IMPORTABLE = {**ENV, "PYTHONPATH": str(Path(kimi_mcp.__file__).parents[1])}


async def pid_in(file: Path) -> int:
    """Wait until *file* holds a pid, and return it."""
    await until(lambda: file.exists() and file.read_text(encoding="utf-8").endswith("\n"))
    return int(await anyio.Path(file).read_text(encoding="utf-8"))


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that is dead and not yet collected does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def children(pid: int, argument: str) -> list[psutil.Process]:
    """Return the children of a process that were given *argument*; fixtures have others."""
    found: list[psutil.Process] = []
    for child in psutil.Process(pid).children():
        with suppress(psutil.NoSuchProcess):  # it ended since, or nobody has waited for it yet
            if argument in child.cmdline():
                found.append(child)
    return found


async def until_gone(*pids: int, within_s: float = PATIENCE_S) -> None:
    """Wait until none of the processes is left."""
    await until(lambda: not any(is_alive(pid) for pid in pids), within_s=within_s)


async def until(is_so: Callable[[], bool], *, within_s: float = PATIENCE_S) -> None:
    """Wait for something in another process, which can only be asked again and again."""

    async def asked() -> bool:
        return is_so()

    await answered(asked, bool, within_s=within_s)


async def answered(
    ask: Callable[[], Awaitable[Answer]],
    is_meant: Callable[[Answer], bool],
    *,
    within_s: float = PATIENCE_S,
) -> Answer:
    """Ask again and again until the answer is the one that is waited for, and return it.

    What takes long to ask is asked less often: the asking must not slow down what is waited for.
    """
    with anyio.fail_after(within_s):
        while True:
            asked_at = anyio.current_time()
            if is_meant(answer := await ask()):
                return answer
            took_s = anyio.current_time() - asked_at
            await anyio.sleep(min(max(0.01, ASKING_SHARE * took_s), 1.0))
