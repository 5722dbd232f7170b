"""A terminal with a program in it, by tmux: keys go in, the screen is read."""

import re
import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import anyio

from living import until

COLUMNS, ROWS = 110, 40
PRESSES, PRESS_S = 10, 6.0


class Terminal:
    """A program in a terminal of its own; it is dead when the context ends."""

    def __init__(
        self,
        folder: Path,
        argv: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        columns: int = COLUMNS,
        rows: int = ROWS,
    ) -> None:
        self._size = ["-x", str(columns), "-y", str(rows)]
        folder.mkdir(parents=True, exist_ok=True)
        name = f"{len([*folder.iterdir()])}.tmux"  # a server that is ending must not be met again
        self._tmux = ["tmux", "-S", str(folder / name), "-f", "/dev/null", "-u"]
        self._env = {"PATH": env["PATH"], "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        launch = folder / f"{name}.sh"
        words = ["env", "-i", *(f"{name}={value}" for name, value in env.items()), *argv]
        launch.write_text(f"cd {shlex.quote(str(cwd))}\nexec {shlex.join(words)}\n", "utf-8")
        self._launch = launch

    def __enter__(self) -> Self:
        self._call(
            "new-session", "-d", *self._size, "sh", str(self._launch), ";", "set", "-g", *KEEP
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            error.add_note(f"The screen was:\n{self.screen()}")
        self._call("kill-server")

    def screen(self) -> str:
        """Return what can be seen now."""
        return self._call("capture-pane", "-p").rstrip()

    def everything(self) -> str:
        """Return what can be seen and what has scrolled off above it."""
        return self._call("capture-pane", "-p", "-S", "-").rstrip()

    def coloured(self) -> str:
        """Return the same with its colours, as a terminal is sent them."""
        return self._call("capture-pane", "-e", "-p", "-S", "-").rstrip()

    def type(self, text: str) -> None:
        """Type *text* as it is."""
        self._call("send-keys", "-l", text)

    def press(self, *keys: str) -> None:
        """Press keys by tmux's names: Enter, Escape, C-c, Down."""
        self._call("send-keys", *keys)

    async def shows(self, pattern: str, *, within_s: float = 60) -> str:
        """Wait until the screen shows what *pattern* describes, and return the screen."""
        await until(lambda: re.search(pattern, self.screen()) is not None, within_s=within_s)
        return self.screen()

    async def press_until(self, key: str, pattern: str) -> str:
        """Press *key* until the screen shows *pattern*: a screen that is new may miss a key."""
        for _ in range(PRESSES):
            self.press(key)
            with anyio.move_on_after(PRESS_S):
                return await self.shows(pattern)
        raise TimeoutError

    async def is_over(self) -> None:
        """Wait for the program's end."""
        dead = ("display-message", "-p", "#{pane_dead}")
        await until(lambda: self._call(*dead).strip() == "1")

    def _call(self, *words: str) -> str:
        done = subprocess.run(
            [*self._tmux, *words], env=self._env, capture_output=True, text=True, check=False
        )
        return done.stdout


KEEP = ("remain-on-exit", "on")
